import {
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { Algorithm, Checksum } from "./checksum.ts";
import { type IncomingFile, newId } from "./incoming-file.ts";
import { S3Error } from "./s3-error.ts";

const UploadRecord = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  headers: z.record(z.string(), z.string()),
  /** Null when the client left the checksum to S3. */
  algorithm: Algorithm.nullable(),
  type: Checksum.shape.type,
});
type UploadRecord = z.infer<typeof UploadRecord>;

const PartRecord = z.strictObject({
  number: z.int(),
  size: z.int(),
  /** MD5 in hexadecimal. */
  etag: z.string(),
  checksum: Checksum,
  body: z.string(),
  lastModified: z.int(),
});
export type PartRecord = z.infer<typeof PartRecord>;

/** A multipart upload under way, with the parts it has so far. */
export type Upload = UploadRecord & { readonly id: string; readonly parts: ReadonlyMap<number, PartRecord> };

export type UploadStore = {
  create(upload: UploadRecord): Upload;
  /** Throws `NoSuchUpload` unless `id` is an upload to this key. */
  get(id: string, bucket: string, key: string): Upload;
  /** Takes the file over as a part, in place of an earlier one of that number. Throws `NoSuchUpload`. */
  addPart(upload: Upload, number: number, incoming: IncomingFile): PartRecord;
  /** Yields the bytes of `parts` one after the other. */
  read(upload: Upload, parts: readonly PartRecord[]): AsyncGenerator<Buffer>;
  /** Forgets the upload at once and deletes its parts; false when it was gone. */
  remove(upload: Upload): Promise<boolean>;
};

const UPLOAD_ID = /^[0-9a-f]{32}$/;
const PART_RECORD = /^\d{1,5}\.json$/;

/**
 * Opens the uploads kept in `dir`: one directory each, named by upload id, with `upload.json` and, per part,
 * `<number>.json` and the body it names.
 */
export function openUploadStore(dir: string, now: () => number): UploadStore {
  mkdirSync(dir, { recursive: true });
  type Open = UploadRecord & { readonly id: string; readonly parts: Map<number, PartRecord> };
  const uploads = new Map<string, Open>();
  for (const id of readdirSync(dir).filter((name) => UPLOAD_ID.test(name))) {
    const upload = loadUpload(join(dir, id));
    if (upload === undefined) rmSync(join(dir, id), { recursive: true, force: true });
    else uploads.set(id, { ...upload, id });
  }
  const open = (id: string): Open => {
    const upload = uploads.get(id);
    if (upload === undefined) throw noSuchUpload(id);
    return upload;
  };

  return {
    create(record) {
      const id = newId();
      mkdirSync(join(dir, id));
      writeFileSync(join(dir, id, "upload.json"), JSON.stringify(record));
      const upload = { ...record, id, parts: new Map() };
      uploads.set(id, upload);
      return upload;
    },

    get(id, bucket, key) {
      const upload = open(id);
      if (upload.bucket !== bucket || upload.key !== key) throw noSuchUpload(id);
      return upload;
    },

    addPart({ id }, number, incoming) {
      const draft = `${incoming.path}.json`;
      try {
        const { parts } = open(id);
        const previous = parts.get(number);
        const { size, md5, checksum } = incoming;
        const body = `${number}.${incoming.id}.body`;
        const part = { number, size, etag: md5, checksum, body, lastModified: now() };
        writeFileSync(draft, JSON.stringify(part));
        renameSync(incoming.path, join(dir, id, body));
        renameSync(draft, join(dir, id, `${number}.json`));
        parts.set(number, part);
        if (previous !== undefined) rmSync(join(dir, id, previous.body), { force: true });
        return part;
      } catch (error) {
        for (const path of [incoming.path, draft]) rmSync(path, { force: true });
        throw error;
      }
    },

    async *read({ id }, parts) {
      for (const { body } of parts) {
        try {
          yield* createReadStream(join(dir, id, body));
        } catch (error) {
          // An abort or another completion may remove the parts while they are read.
          if (!uploads.has(id)) throw noSuchUpload(id);
          throw error;
        }
      }
    },

    async remove({ id }) {
      if (!uploads.delete(id)) return false;
      await rm(join(dir, id), { recursive: true, force: true });
      return true;
    },
  };
}

/** Undefined for what a crash left: an upload nobody got the id of. */
function loadUpload(path: string): (UploadRecord & { parts: Map<number, PartRecord> }) | undefined {
  const upload = readJson(UploadRecord, join(path, "upload.json"));
  if (upload === undefined) return undefined;
  const parts = readdirSync(path)
    .filter((name) => PART_RECORD.test(name))
    .map((name) => readJson(PartRecord, join(path, name)))
    .filter((part) => part !== undefined)
    .filter(({ body, size }) => statSync(join(path, body), { throwIfNoEntry: false })?.size === size);
  const kept = new Set(["upload.json", ...parts.flatMap(({ number, body }) => [`${number}.json`, body])]);
  for (const name of readdirSync(path)) if (!kept.has(name)) rmSync(join(path, name), { force: true });
  return { ...upload, parts: new Map(parts.map((part) => [part.number, part])) };
}

function readJson<T>(schema: z.ZodType<T>, path: string): T | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function noSuchUpload(id: string): S3Error {
  return new S3Error(
    "NoSuchUpload",
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    { UploadId: id },
  );
}
