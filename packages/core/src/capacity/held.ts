import type { FailureCode } from "../job/failure.ts";

/** Names a pool: `tenant:<name>` or `model:<id>`. */
export type PoolName = `tenant:${string}` | `model:${string}`;

/** Why a job that is due isn't worked on. A failure code is what closed the gates of its model. */
export type HeldReason = "tenant_limit" | "model_limit" | FailureCode;

/** What keeps a queued job from being claimed. It has no message while it waits. */
export type Held = {
  readonly by: PoolName;
  readonly reason: HeldReason;
  /** When the job began to wait, in epoch milliseconds. */
  readonly since: number;
  /** Before this nothing changes; `null` where that depends on other jobs. */
  readonly until: number | null;
};

/** What a full pool has to say to a job that it holds from then on. */
export function heldBy(by: PoolName, { reason, until }: Pick<Held, "reason" | "until">, since: number): Held {
  return { by, reason, until, since };
}

export function isPoolName(text: string): text is PoolName {
  return text.startsWith("tenant:") || text.startsWith("model:");
}

export function tenantPool(tenant: string): PoolName {
  return `tenant:${tenant}`;
}

export function modelPool(model: string): PoolName {
  return `model:${model}`;
}
