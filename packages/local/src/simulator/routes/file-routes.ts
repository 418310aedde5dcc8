import { fileResource, type StoredFile } from "../files.ts";
import { type HttpReply, maxBodyBytes, readBody } from "../http.ts";
import { pageOf } from "../paging.ts";
import { parseMessage } from "../proto-json.ts";
import { invalidArgument } from "../refusal.ts";
import { CreateFileRequest } from "../request-fields.ts";
import { type Context, jsonBody, ok, type Route, requireKey } from "./route.ts";

const maxFileBytes = 2 * 2 ** 30;

/** The Files API: resumable upload, read, list, download, delete. */
export const fileRoutes: readonly Route[] = [
  {
    method: "POST",
    path: /^\/upload\/(?<version>v1|v1beta)\/files$/,
    handle: (context) =>
      context.url.searchParams.has("upload_id") ? continueUpload(context) : startUpload(context),
  },
  {
    method: "PUT",
    path: /^\/upload\/(?<version>v1|v1beta)\/files$/,
    handle: continueUpload,
  },
  {
    method: "GET",
    path: /^\/(?:v1|v1beta)\/files$/,
    handle(context) {
      requireKey(context);
      const { page, next } = pageOf(context.world.files.list(), context.url.searchParams);
      return ok({ files: page.map((file) => fileResource(file, originOf(context))), ...next });
    },
  },
  {
    method: "GET",
    path: /^\/(?:v1|v1beta)\/(?<name>files\/[a-z0-9-]+)$/,
    handle: (context) => ok(fileResource(fileOf(context), originOf(context))),
  },
  {
    method: "GET",
    path: /^\/(?:(?:download\/)?(?:v1|v1beta))\/(?<name>files\/[a-z0-9-]+):download$/,
    handle(context) {
      const { bytes, mimeType } = fileOf(context);
      return { status: 200, body: bytes, headers: { "content-type": mimeType } };
    },
  },
  {
    method: "DELETE",
    path: /^\/(?:v1|v1beta)\/(?<name>files\/[a-z0-9-]+)$/,
    handle(context) {
      context.world.files.remove(fileOf(context).name);
      return ok({});
    },
  },
];

function fileOf(context: Context): StoredFile {
  requireKey(context);
  return context.world.files.get(context.params.name ?? "");
}

async function startUpload(context: Context): Promise<HttpReply> {
  requireKey(context);
  const header = headers(context);
  if (header("x-goog-upload-protocol") !== "resumable" || header("x-goog-upload-command") !== "start") {
    throw invalidArgument("Only the resumable upload protocol is simulated: send the command start first");
  }
  const { file } = parseMessage(CreateFileRequest, await jsonBody(context, maxBodyBytes));
  const mimeType = header("x-goog-upload-header-content-type") || file?.mimeType;
  const id = context.world.files.startUpload({
    name: file?.name ?? null,
    displayName: file?.displayName ?? null,
    mimeType: mimeType || "application/octet-stream",
  });
  const path = `/upload/${context.params.version}/files?upload_id=${id}&upload_protocol=resumable`;
  return {
    status: 200,
    body: {},
    headers: {
      "x-goog-upload-status": "active",
      "x-goog-upload-url": `${originOf(context)}${path}`,
      "x-goog-upload-chunk-granularity": "262144",
    },
  };
}

/** The upload's address is its own credential, as with Google: no key is asked for. */
async function continueUpload(context: Context): Promise<HttpReply> {
  const { files } = context.world;
  const header = headers(context);
  const id = context.url.searchParams.get("upload_id") ?? "";
  const commands = header("x-goog-upload-command")
    .split(",")
    .map((command) => command.trim());
  const chunk = await readBody(context.request, maxFileBytes);
  if (commands.includes("query")) {
    const received = String(files.received(id));
    return { status: 200, body: {}, headers: { ...active, "x-goog-upload-size-received": received } };
  }
  const offset = Number(header("x-goog-upload-offset") || files.received(id));
  const file = files.append(id, chunk, offset, commands.includes("finalize"));
  if (file === null) return { status: 200, body: {}, headers: active };
  return {
    status: 200,
    body: { file: fileResource(file, originOf(context)) },
    headers: { "x-goog-upload-status": "final" },
  };
}

const active = { "x-goog-upload-status": "active" };

function headers({ request }: Context): (name: string) => string {
  return (name) => String(request.headers[name] ?? "");
}

function originOf({ request, url }: Context): string {
  return `http://${request.headers.host ?? url.host}`;
}
