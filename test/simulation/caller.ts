import type { JobId } from "@plantain/core/id";
import type { Process } from "./process.ts";

/** One message's way through a worker, as the witness follows it. */
export type Run = {
  readonly process: Process;
  readonly jobId: JobId;
  /** The attempt that this run claimed. */
  fence: number | null;
  /** When its first recheck took effect, and which images it was about to pay for. */
  rechecked: { readonly at: number; readonly paying: readonly number[] } | null;
  /** Paid calls begun since that recheck. */
  called: number;
  /** When a write that renews its lease was made to fail, upon which it has to give up what it pays for. */
  readonly failedBeats: number[];
  /** It tried to tell its bill, and could not. */
  isMuted: boolean;
};

export function newRun(process: Process, jobId: JobId): Run {
  return {
    process,
    jobId,
    fence: null,
    rechecked: null,
    called: 0,
    failedBeats: [],
    isMuted: false,
  };
}

/** Who asks a service for something. */
export type Caller = { readonly process: Process; readonly run: Run | null };
