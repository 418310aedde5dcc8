import type { FinishedJob } from "@plantain/core/job/job";
import type { JobRecord } from "@plantain/core/job/ports";
import { sampleJob, sampleRequest } from "@plantain/memory/samples";

/** A job that is over, with all that is known of it. */
export function sampleRecord(status: FinishedJob["status"]): JobRecord {
  const { runAfter: _, held: __, dueAt: ___, checks: ____, ...base } = sampleJob({ fence: 1 });
  const finishedAt = base.createdAt + 5_000;
  const failure = { code: "internal", message: "It failed", billed: "no" } as const;
  const job: FinishedJob =
    status === "failed" ? { ...base, finishedAt, status, failure } : { ...base, finishedAt, status };
  const image = {
    index: 0,
    fence: 1,
    usedHistory: true,
    key: "out/acme/x/1/0",
    mediaType: "image/png" as const,
    width: 8,
    height: 8,
    bytes: 7,
    sha256: "0".repeat(64),
  };
  const webhook = {
    url: "https://example.com/hook",
    events: ["job.succeeded" as const],
    secret: `whsec_${"A".repeat(32)}` as const,
  };
  return {
    job,
    request: sampleRequest({ webhook }),
    result:
      status === "succeeded"
        ? { images: [image], text: null, grounding: null, fetched: [], warnings: [] }
        : null,
    attempts: [],
  };
}

/** A succeeded job with as much of everything as there may be. */
export function expandedAttempt(prompt: string, text: string, references: number): JobRecord {
  const record = sampleRecord("succeeded");
  const reference = {
    sha256: "1".repeat(64),
    mediaType: "image/webp" as const,
    bytes: 9,
    width: 3,
    height: 3,
    source: null,
  };
  const pages = Array.from({ length: references }, (_, at) => ({
    page: `https://example.com/${at}`,
    title: prompt.slice(0, 100),
    domain: "example.com",
  }));
  const metadata = Object.fromEntries(
    Array.from({ length: references > 0 ? 16 : 0 }, (_, at) => [
      `name${at}`.padEnd(64, "x"),
      prompt.slice(0, 512),
    ]),
  );
  return {
    ...record,
    request: {
      ...record.request,
      prompt,
      metadata,
      images: Array.from({ length: references }, () => reference),
      webhook: record.request.webhook && {
        ...record.request.webhook,
        url: `https://example.com/${"x".repeat(20 * references)}`,
      },
    },
    result: record.result && {
      ...record.result,
      text,
      grounding:
        references > 0
          ? { webQueries: [prompt], imageQueries: [], pages, pictures: [], widgets: [text] }
          : null,
      warnings: Array.from({ length: references }, () => text.slice(0, 300)),
    },
  };
}
