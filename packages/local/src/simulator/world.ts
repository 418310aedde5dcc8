import type { Injector } from "./faults/injector.ts";
import type { FileStore } from "./files.ts";
import type { Ids } from "./ids.ts";
import type { Latency } from "./latency.ts";
import type { LedgerBook } from "./ledger.ts";
import type { QuotaKeeper } from "./quota.ts";
import type { Signatures } from "./signatures.ts";

/** The state that all calls of one simulator share. */
export type World = {
  /** Keys it accepts; null: any that does not begin with "invalid". */
  keys: readonly string[] | null;
  latency: Latency;
  ids: Ids;
  ledger: LedgerBook;
  injector: Injector;
  quota: QuotaKeeper;
  signatures: Signatures;
  files: FileStore;
  /** Fires when the simulator stops; ends every wait. */
  stopping: AbortSignal;
};
