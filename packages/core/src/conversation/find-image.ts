import { DomainError } from "../error.ts";
import type { JobRecord, Jobs } from "../job/ports.ts";
import type { InputImage, TurnRef } from "../job/request.ts";

/**
 * An image of an earlier job of the tenant, as a reference for a new one.
 * @param field the request's field that names the job, for refusals
 * @param indexField the field that names the image
 * @throws DomainError when there is no such job or image; another tenant's job is the same as none
 */
export async function findImage(
  jobs: Jobs,
  tenant: string,
  { jobId, index }: TurnRef,
  field: string,
  indexField: string,
): Promise<{ record: JobRecord; image: InputImage }> {
  const record = await jobs.read(jobId);
  if (!record || record.job.tenant !== tenant) {
    throw new DomainError("source_job_not_found", `There is no job "${jobId}"`, { field });
  }
  if (record.job.status !== "succeeded" || !record.result) {
    throw new DomainError(
      "source_job_not_succeeded",
      `Job "${jobId}" is ${record.job.status}; only a succeeded job has images`,
      { field },
    );
  }
  const { images } = record.result;
  const found = images.find((image) => image.index === index);
  if (!found) {
    throw new DomainError("source_image_not_found", `Job "${jobId}" has no image ${index}`, {
      field: indexField,
      allowed: images.map((image) => String(image.index)),
    });
  }
  const { key, sha256, mediaType, bytes, width, height } = found;
  return { record, image: { sha256, mediaType, bytes, width, height, source: { jobId, index, key } } };
}
