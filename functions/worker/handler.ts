import { isJobId } from "@plantain/core/id";
import { runAttempt } from "@plantain/core/job/run-attempt";
import * as z from "zod";
import { composeWorker } from "../runtime/compose-worker.ts";
import { sqsBatch } from "../runtime/sqs-batch.ts";

const JobMessage = z.object({ jobId: z.string().refine(isJobId, "Not a job id") });

const { log, delivered, ...ports } = composeWorker(process.env);

export const handler = sqsBatch(
  JobMessage,
  async ({ jobId }, { messageId, receiptHandle }, context) => {
    const startedAt = ports.clock.now();
    const leftMs = () => context.getRemainingTimeInMillis();
    const { ended, fence, failure } = await runAttempt(ports, jobId, delivered(receiptHandle), leftMs);
    log.info("Attempt ended", {
      messageId,
      jobId,
      ended,
      ms: ports.clock.now() - startedAt,
      ...(fence === undefined ? {} : { fence }),
      ...(failure ? { failureCode: failure.code, ...upstreamFields(failure.upstream) } : {}),
    });
  },
  log,
);

function upstreamFields(upstream: { status?: number; finishReason?: string } | undefined) {
  return {
    ...(upstream?.status === undefined ? {} : { upstreamStatus: upstream.status }),
    ...(upstream?.finishReason === undefined ? {} : { finishReason: upstream.finishReason }),
  };
}
