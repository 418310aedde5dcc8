import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { LockHeld, takeLock } from "./lock.ts";

/** Where tables, images and the API key are kept. */
export type DataFolder = {
  readonly tables: string;
  readonly images: string;
  readonly apiKey: string;
  /** For the synthesized app of this run alone; a run that was killed leaves it to the next. */
  readonly assembly: string;
  /** Lets another process use the folder, or removes it when it was temporary. */
  release(): void;
};

/**
 * Opens the folder for this process alone, creating it if need be; without a name a temporary one.
 * Throws, saying what to do, when it cannot be written to or another process uses it.
 */
export function openDataFolder(folder?: string): DataFolder {
  const root = folder === undefined ? mkdtempSync(join(tmpdir(), "plantain-")) : resolve(folder);
  const unlock = lock(root);
  const assembly = join(root, "cdk.out");
  rmSync(assembly, { recursive: true, force: true });
  return {
    tables: join(root, "dynamodb.sqlite"),
    images: join(root, "s3"),
    apiKey: join(root, "api-key"),
    assembly,
    release() {
      rmSync(folder === undefined ? root : assembly, { recursive: true, force: true });
      unlock();
    },
  };
}

function lock(root: string): () => void {
  try {
    makeFolder(root);
    return takeLock(join(root, "lock"));
  } catch (error) {
    const why =
      error instanceof LockHeld
        ? `process ${error.pid} uses it; stop that one, or choose another folder with --data`
        : `${error instanceof Error ? error.message : String(error)}; choose a folder you may write to with --data`;
    throw new Error(`Cannot use data folder "${root}": ${why}`, { cause: error });
  }
}

/** Level by level: Node's own recursive form never ends where a level can't be made, as under /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}
