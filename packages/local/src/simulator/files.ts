import { createHash } from "node:crypto";
import type { Ids } from "./ids.ts";
import type { ReadFile } from "./reference-images.ts";
import { invalidArgument, notFound, permissionDenied } from "./refusal.ts";

/** A file of the Files API; `name` is `files/<id>`. */
export type StoredFile = {
  name: string;
  displayName: string | null;
  mimeType: string;
  bytes: Buffer;
  createdAt: number;
  source: "UPLOADED" | "GENERATED";
};

type NewFile = Omit<StoredFile, "name" | "createdAt"> & { name: string | null };

export type FileStore = {
  put: (file: NewFile) => StoredFile;
  /** Throws a 403 Refusal, as Google does, for what is not there. */
  get: (name: string) => StoredFile;
  list: () => readonly StoredFile[];
  remove: (name: string) => void;
  /** Opens a resumable upload and gives its id. */
  startUpload: (file: Omit<NewFile, "bytes" | "source">) => string;
  /** Adds a chunk at `offset`; gives the file once it is complete. */
  append: (upload: string, chunk: Buffer, offset: number, final: boolean) => StoredFile | null;
  /** How many bytes of an upload have arrived. */
  received: (upload: string) => number;
  /** Reads what a `fileUri` names: a file of this store, or an address that Google would fetch. */
  read: ReadFile;
  clear: () => void;
};

const lifetimeMs = 48 * 3600_000;
const maxFetchedBytes = 100 * 2 ** 20;
const fetchTimeoutMs = 20_000;

type Upload = { file: Omit<NewFile, "bytes" | "source">; chunks: Buffer[]; size: number };

/** Keeps files in memory for 48 hours. */
export function createFiles(ids: Ids, stopping: AbortSignal): FileStore {
  const files = new Map<string, StoredFile>();
  const uploads = new Map<string, Upload>();
  const alive = (file: StoredFile) => Date.now() < file.createdAt + lifetimeMs;

  const get = (name: string) => {
    const file = files.get(name);
    if (file !== undefined && alive(file)) return file;
    throw permissionDenied(
      `You do not have permission to access the File ${name.slice("files/".length)} or it may not exist.`,
    );
  };
  const put = (file: NewFile) => {
    const name = file.name ?? `files/${ids.resource()}`;
    const stored = { ...file, name, createdAt: Date.now() };
    files.set(name, stored);
    return stored;
  };
  const uploadOf = (id: string) => {
    const upload = uploads.get(id);
    if (upload === undefined) throw notFound("Requested entity was not found.");
    return upload;
  };

  return {
    put,
    get,
    list: () => [...files.values()].filter(alive),
    remove: (name) => void files.delete(get(name).name),
    startUpload(file) {
      const id = ids.resource();
      uploads.set(id, { file, chunks: [], size: 0 });
      return id;
    },
    append(id, chunk, offset, final) {
      const upload = uploadOf(id);
      if (offset !== upload.size) {
        throw invalidArgument(`Upload offset ${offset} does not match the ${upload.size} bytes received.`);
      }
      upload.chunks.push(chunk);
      upload.size += chunk.length;
      if (!final) return null;
      uploads.delete(id);
      return put({ ...upload.file, bytes: Buffer.concat(upload.chunks), source: "UPLOADED" });
    },
    received: (id) => uploadOf(id).size,
    async read(uri) {
      const own = /\/v1(?:beta)?\/(files\/[a-z0-9-]+)$/.exec(uri)?.[1];
      if (own !== undefined) return get(own);
      return await fetchFrom(uri, stopping);
    },
    clear() {
      files.clear();
      uploads.clear();
    },
  };
}

async function fetchFrom(uri: string, stopping: AbortSignal): Promise<{ bytes: Buffer; mimeType: string }> {
  if (!/^https?:\/\//.test(uri)) throw invalidArgument(`Unsupported file uri: ${uri.slice(0, 200)}`);
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(fetchTimeoutMs)]);
  try {
    const response = await fetch(uri, { signal });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.ok && bytes.length <= maxFetchedBytes) {
      const mimeType = response.headers.get("content-type")?.split(";")[0] ?? "";
      return { bytes, mimeType };
    }
  } catch {
    // Whatever kept us from reading it, Google says no more than the line below.
  }
  throw invalidArgument("Cannot fetch content from the provided URL.");
}

/** The file as the API shows it; `origin` is where this server was reached. */
export function fileResource(file: StoredFile, origin: string): object {
  const created = new Date(file.createdAt).toISOString();
  const sha256Hash = createHash("sha256").update(file.bytes).digest("base64");
  return {
    name: file.name,
    ...(file.displayName === null ? {} : { displayName: file.displayName }),
    mimeType: file.mimeType,
    sizeBytes: String(file.bytes.length),
    createTime: created,
    updateTime: created,
    expirationTime: new Date(file.createdAt + lifetimeMs).toISOString(),
    sha256Hash,
    uri: `${origin}/v1beta/${file.name}`,
    ...(file.source === "GENERATED"
      ? { downloadUri: `${origin}/v1beta/${file.name}:download?alt=media` }
      : {}),
    state: "ACTIVE",
    source: file.source,
  };
}
