import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { checkWrite, type WriteCondition } from "./conditions.ts";
import type { IncomingFile } from "./incoming-file.ts";
import { createKeyIndex, type Listing, type ListingQuery } from "./listing.ts";
import { ObjectRecord } from "./object-record.ts";
import { S3Error } from "./s3-error.ts";

/** Keeps an eye on a key while the body of a conditional write arrives. */
type WriteGuard = {
  readonly key: string;
  /** Throws `PreconditionFailed`, `NoSuchKey` or `ConditionalRequestConflict` when the write may not happen. */
  check(): void;
  release(): void;
};

/** What a writer decides about an object; etag and checksum default to those of the bytes. */
type NewObject = Pick<ObjectRecord, "headers"> & Partial<Pick<ObjectRecord, "etag" | "checksum">>;

/** The objects of one bucket. Reads come from memory, except for the bytes. */
export type Bucket = {
  get(key: string): ObjectRecord | undefined;
  list(query: ListingQuery): Listing;
  /** Opens the bytes of an object; they stay readable when it is overwritten or deleted. The caller closes `file`. */
  open(key: string): Promise<{ readonly record: ObjectRecord; readonly file: FileHandle } | undefined>;
  /** Throws at once if `condition` does not hold now. */
  guard(key: string, condition: WriteCondition | undefined): WriteGuard;
  /** Makes received bytes the object of the guard's key, all or nothing. Takes the file over, also when it throws. */
  publish(guard: WriteGuard, incoming: IncomingFile, object: NewObject): ObjectRecord;
  /** Deletes an object if there is one. Throws if `condition` does not hold. */
  remove(key: string, condition?: WriteCondition): void;
};

const RECORD_NAME = /^[0-9a-f]{64}\.json$/;
const BODY_NAME = /^[0-9a-f]{64}\.[0-9a-f]{32}\.body$/;

/**
 * Opens the bucket kept in `dir`. Each object is a file of bytes that never changes, `<sha256 of key>.<id>.body`,
 * and a record beside it, `<sha256 of key>.json`, which holds the key and names the body. Renaming the record into
 * place is the one moment an object comes to be or changes, so a crash leaves the old object or the new one. Hashed
 * names keep every key inside the directory, and apart on file systems that ignore case.
 */
export function openBucket(dir: string, now: () => number): Bucket {
  mkdirSync(dir, { recursive: true });
  const records = loadRecords(dir);
  const index = createKeyIndex([...records.keys()]);
  const guards = new Set<{ readonly key: string; deleted: boolean }>();

  return {
    get: (key) => records.get(key),
    list: (query) => index.list(query),

    async open(key) {
      for (;;) {
        const record = records.get(key);
        if (record === undefined) return undefined;
        try {
          return { record, file: await open(join(dir, record.body)) };
        } catch (error) {
          // Overwritten between the look-up and here: look again. Otherwise the file is really missing.
          if (records.get(key) === record) throw error;
        }
      }
    },

    guard(key, condition) {
      checkWrite(condition, records.get(key));
      const watch = { key, deleted: false };
      if (condition !== undefined) guards.add(watch);
      return {
        key,
        check() {
          checkWrite(condition, records.get(key));
          if (watch.deleted) throw conflict(key);
        },
        release: () => guards.delete(watch),
      };
    },

    // Everything in here is synchronous: between the check and the new index entry nothing else can run, which is
    // what lets exactly one of many conditional writers win.
    publish(guard, incoming, object) {
      const { key } = guard;
      const body = `${hashKey(key)}.${incoming.id}.body`;
      const draft = `${incoming.path}.json`;
      const { size, md5, checksum } = incoming;
      const lastModified = Math.floor(now() / 1000) * 1000;
      const record = { key, body, size, etag: md5, lastModified, checksum, ...object };
      const previous = records.get(key);
      try {
        guard.check();
        writeFileSync(draft, JSON.stringify(record));
        renameSync(incoming.path, join(dir, body));
        renameSync(draft, recordPath(dir, key));
      } catch (error) {
        for (const path of [incoming.path, draft, join(dir, body)]) rmSync(path, { force: true });
        throw error;
      }
      records.set(key, record);
      index.add(key);
      if (previous !== undefined) rmSync(join(dir, previous.body), { force: true });
      return record;
    },

    remove(key, condition) {
      const record = records.get(key);
      checkWrite(condition, record);
      if (record === undefined) return;
      rmSync(recordPath(dir, key), { force: true });
      records.delete(key);
      index.remove(key);
      for (const watch of guards) if (watch.key === key) watch.deleted = true;
      rmSync(join(dir, record.body), { force: true });
    },
  };
}

/** Reads what is on disk and clears away what a crash left: bodies without a record, torn records. */
function loadRecords(dir: string): Map<string, ObjectRecord> {
  const names = readdirSync(dir);
  const records = new Map<string, ObjectRecord>();
  const bodies = new Set<string>();
  for (const name of names.filter((candidate) => RECORD_NAME.test(candidate))) {
    const record = readRecord(dir, name);
    if (record === undefined) {
      rmSync(join(dir, name), { force: true });
    } else {
      records.set(record.key, record);
      bodies.add(record.body);
    }
  }
  for (const name of names) {
    if (BODY_NAME.test(name) && !bodies.has(name)) rmSync(join(dir, name), { force: true });
  }
  return records;
}

function readRecord(dir: string, name: string): ObjectRecord | undefined {
  try {
    const record = ObjectRecord.parse(JSON.parse(readFileSync(join(dir, name), "utf8")));
    const sound =
      name === `${hashKey(record.key)}.json` &&
      BODY_NAME.test(record.body) &&
      statSync(join(dir, record.body)).size === record.size;
    return sound ? record : undefined;
  } catch {
    // Only a machine that lost power can leave a torn record; its object was never whole.
    return undefined;
  }
}

function recordPath(dir: string, key: string): string {
  return join(dir, `${hashKey(key)}.json`);
}

function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

function conflict(key: string): S3Error {
  return new S3Error(
    "ConditionalRequestConflict",
    "The conditional request cannot succeed due to a conflicting operation against this resource.",
    { Key: key },
  );
}
