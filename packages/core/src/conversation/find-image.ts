import { DomainError } from "../error.ts";
import type { JobId } from "../id.ts";
import type { JobRecord, Jobs } from "../job/ports.ts";
import type { InputImage } from "../job/request.ts";

/** An image of a job; without an index its first. */
export type ImageRef = { readonly jobId: JobId; readonly index: number | null };

export type FoundImage = {
  readonly record: JobRecord;
  readonly index: number;
  readonly image: InputImage;
  /** Whether it really went on from the turns before, as far as there were any. */
  readonly usedHistory: boolean;
};

/**
 * An image of an earlier job of the tenant, as a reference for a new one.
 * @param field the request's field that names the job, for refusals
 * @param indexField the field that names the image
 * @throws DomainError when there is no such job or image; another tenant's job is the same as none
 */
export async function findImage(
  jobs: Jobs,
  tenant: string,
  { jobId, index }: ImageRef,
  field: string,
  indexField: string,
): Promise<FoundImage> {
  const record = await jobs.read(jobId);
  if (!record || record.job.tenant !== tenant) {
    throw new DomainError(
      "source_job_not_found",
      `There is no job "${jobId}"; name one of your own that succeeded`,
      {
        field,
      },
    );
  }
  if (record.job.status !== "succeeded" || !record.result) {
    throw new DomainError(
      "source_job_not_succeeded",
      `Job "${jobId}" is ${record.job.status}; only a succeeded job has images`,
      { field },
    );
  }
  const { images } = record.result;
  const found = index === null ? images[0] : images.find((image) => image.index === index);
  if (!found) {
    throw new DomainError("source_image_not_found", `Job "${jobId}" has no image ${index}`, {
      field: indexField,
      allowed: images.map((image) => String(image.index)),
    });
  }
  const { key, sha256, mediaType, bytes, width, height, usedHistory } = found;
  const source = { jobId, index: found.index, key };
  return {
    record,
    index: found.index,
    image: { sha256, mediaType, bytes, width, height, source },
    usedHistory,
  };
}
