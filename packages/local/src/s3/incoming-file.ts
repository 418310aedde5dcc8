import { randomBytes } from "node:crypto";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Algorithm } from "./checksum.ts";
import { consume, type Digests, type IncomingBody } from "./incoming-body.ts";

/** Bytes that arrived and were verified, in a file of their own that nobody can see yet. */
export type IncomingFile = Digests & {
  /** Unique for ever, so a file named by it is never overwritten. */
  readonly id: string;
  readonly path: string;
};

/** What `newId` makes, and therefore the only names that are swept from the directory at start. */
export const INCOMING_NAME = /^[0-9a-f]{32}(\.json)?$/;

export function newId(): string {
  return randomBytes(16).toString("hex");
}

/**
 * Streams a body into a new file in `dir`; memory use does not depend on its size. When the body is refused or the
 * client goes away, the file is removed and the error rethrown.
 */
export async function receiveFile(
  dir: string,
  body: IncomingBody,
  algorithm?: Algorithm,
): Promise<IncomingFile> {
  const id = newId();
  const path = join(dir, id);
  const file = await open(path, "wx");
  try {
    const digests = await consume(body, (chunk) => file.writeFile(chunk), algorithm);
    await file.close();
    return { ...digests, id, path };
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
    throw error;
  }
}
