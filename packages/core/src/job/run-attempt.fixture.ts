import { manualClock, seededRandom } from "@plantain/memory/clock";
import { memoryDownloader } from "@plantain/memory/downloader";
import { memoryJobs } from "@plantain/memory/jobs";
import type { ScriptedModel } from "@plantain/memory/model";
import { memoryObjects } from "@plantain/memory/objects";
import { memoryPools } from "@plantain/memory/pools";
import { memoryQueue } from "@plantain/memory/queue";
import {
  sampleJob,
  sampleLimits,
  samplePolicy,
  sampleRegistry,
  sampleRequest,
} from "@plantain/memory/samples";
import type { JobId } from "../id.ts";
import type { Failure } from "./failure.ts";
import type { QueuedJob } from "./job.ts";
import { memoryBudget } from "./memory-budget.ts";
import type { Answer } from "./ports.ts";
import type { JobRequest } from "./request.ts";
import { runAttempt, type WorkerPorts } from "./run-attempt.ts";

export const failing = (failure: Failure): Answer => ({ type: "failure", failure, usage: null });
export const plenty = () => 600_000;

/** A worker's ports in memory, and a job with its message. */
export async function world(model: ScriptedModel, request: Partial<JobRequest> = {}) {
  const clock = manualClock();
  const jobs = memoryJobs();
  const queue = memoryQueue(clock);
  const objects = memoryObjects();
  const downloader = memoryDownloader();
  const ports: WorkerPorts = {
    jobs,
    queue,
    objects,
    downloader,
    model,
    clock,
    random: seededRandom(),
    policy: samplePolicy,
    registry: sampleRegistry,
    memory: memoryBudget(1e9),
    pools: memoryPools(),
    limits: sampleLimits,
  };
  const job = sampleJob({ createdAt: clock.now(), count: request.count ?? 1 });
  await jobs.create(job, sampleRequest(request), null, clock.now());
  await queue.send(job, 0);
  return { clock, jobs, queue, objects, downloader, model, ports, job };
}

export type World = Awaited<ReturnType<typeof world>>;

/** Another job of the same world, with its message. */
export async function another(
  { jobs, queue, clock }: World,
  about: Partial<QueuedJob> = {},
): Promise<QueuedJob> {
  const job = sampleJob({ createdAt: clock.now(), ...about });
  await jobs.create(job, sampleRequest({ count: job.count }), null, clock.now());
  await queue.send(job, 0);
  return job;
}

/** Takes the next message and works on it, as a worker does. */
export function work({ queue, ports }: World, about: Partial<WorkerPorts> = {}, leftMs = plenty) {
  const received = queue.receive(2_000_000);
  if (!received) throw new Error("No message is visible");
  return runAttempt({ ...ports, ...about }, received.jobId, received.message, leftMs);
}

export async function record({ jobs }: World, id: JobId) {
  const found = await jobs.read(id);
  if (!found) throw new Error("No such job");
  return found;
}
