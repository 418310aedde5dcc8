import type { Answer } from "./answer.ts";
import { authenticate, type Payload } from "./authentication.ts";
import { Algorithm, checksumHeader } from "./checksum.ts";
import { completeUpload } from "./complete-upload.ts";
import type { Context } from "./context.ts";
import { copyObject } from "./copy-object.ts";
import { deleteObject, deleteObjects } from "./delete-objects.ts";
import { getObject, headObject, OVERRIDES } from "./get-object.ts";
import { listObjects } from "./list-objects.ts";
import { abortUpload, createUpload, listParts, uploadPart } from "./multipart-operations.ts";
import { postObject } from "./post-object.ts";
import { putObject } from "./put-object.ts";
import type { S3Request } from "./request.ts";
import { notImplemented } from "./s3-error.ts";

type Operation = {
  readonly method: string;
  readonly on: "bucket" | "object";
  /** Query parameters and headers that single the operation out. */
  readonly with?: readonly string[];
  /** Further query parameters it understands. */
  readonly may?: readonly string[];
  readonly run: (context: Context, request: S3Request, payload: Payload) => Promise<Answer>;
};

/** The more special ones first. */
const OPERATIONS: readonly Operation[] = [
  {
    method: "GET",
    on: "bucket",
    may: [
      "list-type",
      "prefix",
      "delimiter",
      "max-keys",
      "start-after",
      "continuation-token",
      "encoding-type",
      "fetch-owner",
    ],
    run: listObjects,
  },
  { method: "HEAD", on: "bucket", run: headBucket },
  { method: "PUT", on: "bucket", run: createBucket },
  { method: "POST", on: "bucket", with: ["delete"], run: deleteObjects },
  {
    method: "GET",
    on: "object",
    with: ["uploadId"],
    may: ["max-parts", "part-number-marker"],
    run: listParts,
  },
  { method: "GET", on: "object", may: Object.keys(OVERRIDES), run: getObject },
  { method: "HEAD", on: "object", may: Object.keys(OVERRIDES), run: headObject },
  { method: "PUT", on: "object", with: ["partNumber", "uploadId"], run: uploadPart },
  { method: "PUT", on: "object", with: ["x-amz-copy-source"], run: copyObject },
  { method: "PUT", on: "object", run: putObject },
  { method: "POST", on: "object", with: ["uploads"], run: createUpload },
  { method: "POST", on: "object", with: ["uploadId"], run: completeUpload },
  { method: "DELETE", on: "object", with: ["uploadId"], run: abortUpload },
  { method: "DELETE", on: "object", run: deleteObject },
];

/** The `x-amz-` headers that are honoured, or that change nothing here. */
const HEADERS: ReadonlySet<string> = new Set([
  ...Algorithm.options.map(checksumHeader),
  "x-amz-acl",
  "x-amz-checksum-algorithm",
  "x-amz-checksum-mode",
  "x-amz-checksum-type",
  "x-amz-content-sha256",
  "x-amz-copy-source",
  "x-amz-copy-source-if-match",
  "x-amz-copy-source-if-modified-since",
  "x-amz-copy-source-if-none-match",
  "x-amz-copy-source-if-unmodified-since",
  "x-amz-date",
  "x-amz-decoded-content-length",
  "x-amz-expected-bucket-owner",
  "x-amz-metadata-directive",
  "x-amz-mp-object-size",
  "x-amz-sdk-checksum-algorithm",
  "x-amz-security-token",
  "x-amz-server-side-encryption",
  "x-amz-source-expected-bucket-owner",
  "x-amz-storage-class",
  "x-amz-trailer",
  "x-amz-user-agent",
]);

/** Answers one request: authenticates it, finds the operation, refuses what is unknown. */
export async function route(context: Context, request: S3Request): Promise<Answer> {
  const formUpload = request.method === "POST" && request.key === "" && request.query.length === 0;
  if (formUpload && request.bucket !== "") return postObject(context, request);
  const authenticated = authenticate(request, context.keyring);
  const operation = findOperation(authenticated.request);
  return operation.run(context, authenticated.request, authenticated.payload);
}

function findOperation(request: S3Request): Operation {
  const parameters = request.query.map(({ name }) => name).filter((name) => !isCommon(name));
  const on = request.key === "" ? "bucket" : "object";
  const operation = OPERATIONS.find(
    (candidate) =>
      request.bucket !== "" &&
      candidate.method === request.method &&
      candidate.on === on &&
      (candidate.with ?? []).every((name) => parameters.includes(name) || request.headers.has(name)),
  );
  const understood = [...(operation?.with ?? []), ...(operation?.may ?? [])];
  const unknown = parameters.find((name) => !understood.includes(name));
  if (operation === undefined || unknown !== undefined) {
    const what = unknown ?? parameters[0];
    const place = request.bucket === "" ? "the service" : { bucket: "a bucket", object: "an object" }[on];
    throw notImplemented(`${request.method}${what === undefined ? "" : ` ?${what}`} on ${place}`);
  }
  for (const name of request.headers.keys()) {
    if (name.startsWith("x-amz-") && !name.startsWith("x-amz-meta-") && !HEADERS.has(name)) {
      throw notImplemented(`the header "${name}"`);
    }
  }
  if (operation.run === uploadPart && request.headers.has("x-amz-copy-source")) {
    throw notImplemented("UploadPartCopy");
  }
  return operation;
}

/** Parameters of signatures and, in presigned URLs, headers; SDKs add the name of the operation as `x-id`. */
function isCommon(parameter: string): boolean {
  return parameter === "x-id" || parameter.toLowerCase().startsWith("x-amz-");
}

async function headBucket({ store, keyring }: Context, request: S3Request): Promise<Answer> {
  store.bucket(request.bucket);
  return { status: 200, headers: { "x-amz-bucket-region": keyring.region } };
}

async function createBucket({ store }: Context, request: S3Request): Promise<Answer> {
  store.createBucket(request.bucket);
  return { status: 200, headers: { location: `/${request.bucket}` } };
}
