import type { Job } from "@plantain/client/job";
import { verifyWebhook } from "@plantain/client/webhook";
import type { FinishedJob } from "@plantain/core/job/job";
import type { JobRecord } from "@plantain/core/job/ports";
import { newSecret, signedHeaders } from "@plantain/core/webhook/signature";
import { wireJob } from "@plantain/functions/api/wire";
import { sampleJob, sampleRequest } from "@plantain/memory/samples";
import { memorySignedUrls } from "@plantain/memory/signed-urls";
import { describe, expect, it } from "vitest";

/*
 * The client imports nothing of ours, so nothing but this keeps its Job the one that the API shows.
 */

const { runAfter: _, held: __, dueAt: ___, checks: ____, ...base } = sampleJob();
const finished = { ...base, startedAt: base.createdAt, finishedAt: base.createdAt + 1 };

const request = sampleRequest({
  aspectRatio: "1:1",
  imageSize: "1K",
  thinking: "high",
  seed: 7,
  safety: { harassment: "off" },
  continueFrom: { jobId: base.id, index: 0 },
  metadata: { order: "4711" },
  warnings: ["The model goes at the end of the year"],
});

const records: Record<string, JobRecord> = {
  succeeded: recordOf(
    { ...finished, status: "succeeded" },
    {
      images: [
        {
          index: 0,
          fence: 1,
          key: "out/1",
          mediaType: "image/png",
          width: 8,
          height: 8,
          bytes: 90,
          sha256: "93d1",
          usedHistory: true,
        },
      ],
      text: "Here you are",
      grounding: {
        webQueries: ["banana leaf"],
        imageQueries: ["leaf"],
        pages: [{ page: "https://example.com", title: null, domain: "example.com" }],
        pictures: [{ page: "https://example.com", picture: null, title: "A leaf", domain: null }],
        widgets: ["<div></div>"],
      },
      fetched: [],
      warnings: ["One image is missing"],
    },
  ),
  failed: recordOf({
    ...finished,
    status: "failed",
    failure: {
      code: "content_blocked.prompt",
      message: "Gemini refused the prompt",
      billed: "unknown",
      upstream: { status: 200, finishReason: "SAFETY" },
    },
  }),
  canceled: recordOf({ ...finished, status: "canceled" }),
};

function recordOf(job: FinishedJob, result: JobRecord["result"] = null): JobRecord {
  return { job, request, result, attempts: [] };
}

describe.each(Object.entries(records))("a job that is %s", (status, record) => {
  it("is read by the client whole, as the API shows it", async () => {
    const shown = { ...(await wireJob(record, memorySignedUrls, 0)), truncated: [] };
    const data: unknown = JSON.parse(JSON.stringify(shown));
    const body = JSON.stringify({ type: `job.${status}`, timestamp: "2026-11-01T00:00:00.000Z", data });
    const timestampSeconds = 1_790_000_000;
    const secret = newSecret(new Uint8Array(32).fill(1));
    const headers = signedHeaders({
      id: "msg_1",
      timestampSeconds,
      body,
      secrets: [secret],
      signingKeys: [],
    });
    const event = verifyWebhook(body, headers, secret, { now: timestampSeconds * 1000 });
    expect(event).toMatchObject({ type: `job.${status}`, data });
  });

  it("has the fields that the client's type has", async () => {
    // A field that is missing here, or is one too many, doesn't compile
    const fields: Record<keyof Job, true> = {
      id: true,
      object: true,
      status: true,
      model: true,
      created_at: true,
      started_at: true,
      finished_at: true,
      deadline_at: true,
      attempts: true,
      held_by: true,
      requested_model: true,
      prompt: true,
      aspect_ratio: true,
      image_size: true,
      count: true,
      output: true,
      thinking: true,
      grounding_requested: true,
      safety: true,
      seed: true,
      continue_from: true,
      reference_images: true,
      images: true,
      text: true,
      grounding: true,
      metadata: true,
      webhook: true,
      usage: true,
      cost: true,
      error: true,
      last_error: true,
      warnings: true,
      links: true,
    };
    const shown = await wireJob(record, memorySignedUrls, 0);
    expect(Object.keys(shown).toSorted()).toEqual(Object.keys(fields).toSorted());
  });
});
