import { Image } from "@napi-rs/canvas";
import { isComplete, sniff } from "./image-bytes.ts";
import { type Model, maxReferenceImages } from "./models.ts";
import { invalidArgument } from "./refusal.ts";
import type { RequestContent, RequestPart } from "./request-fields.ts";
import type { Pixels } from "./sizes.ts";

/** An image of the request. `picture` is null for what the canvas cannot decode (HEIC, HEIF, PDF). */
export type ReferenceImage = {
  part: RequestPart;
  role: "user" | "model";
  bytes: Buffer;
  mimeType: string;
  picture: Image | null;
  pixels: Pixels | null;
};

/** Fetches what a `fileUri` names: an uploaded file, or an address that Google would fetch. */
export type ReadFile = (uri: string) => Promise<{ bytes: Buffer; mimeType: string }>;

const accepted = ["image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"];
const undecodable = ["image/gif", "image/svg+xml"];
const drawable = ["image/png", "image/jpeg", "image/webp"];

/**
 * Reads and checks every image of the request, in order: count, declared type, magic bytes, completeness, decoding.
 *
 * @throws Refusal 400 in Google's words
 */
export async function readImages(
  model: Model,
  contents: readonly RequestContent[],
  readFile: ReadFile,
): Promise<readonly ReferenceImage[]> {
  const found = contents.flatMap((content, index) =>
    (content.parts ?? []).flatMap((part, position) =>
      part.inlineData === undefined && part.fileData === undefined
        ? []
        : [{ content, part, path: `contents[${index}].parts[${position}]` }],
    ),
  );
  const users = found.filter(({ content }) => content.role !== "model").length;
  if (users > maxReferenceImages) {
    throw invalidArgument(
      `The request contains too many images: ${users} images were provided, but models/${model.id} supports a maximum of ${maxReferenceImages} images.`,
    );
  }
  return await Promise.all(
    found.map(async ({ content, part, path }) => {
      const { bytes, mimeType } = await contentOf(part, path, readFile);
      const image = await decode(bytes, mimeType);
      return { ...image, part, role: content.role === "model" ? "model" : "user" };
    }),
  );
}

async function contentOf(part: RequestPart, path: string, readFile: ReadFile) {
  if (part.fileData !== undefined) {
    const file = await readFile(part.fileData.fileUri ?? "");
    const mimeType = part.fileData.mimeType || file.mimeType;
    checkDeclared(mimeType, `${path}.file_data`);
    return { bytes: file.bytes, mimeType };
  }
  const mimeType = part.inlineData?.mimeType ?? "";
  checkDeclared(mimeType, `${path}.inline_data`);
  return { bytes: part.inlineData?.data ?? Buffer.alloc(0), mimeType };
}

function checkDeclared(mimeType: string, path: string): void {
  if (accepted.includes(mimeType) || mimeType === "application/pdf") return;
  if (undecodable.includes(mimeType)) throw invalidArgument("Unable to process input image.");
  throw invalidArgument(
    `* GenerateContentRequest.${path}.mime_type: MIME type must be image/png, image/jpeg, image/webp, image/heic, or image/heif.\n`,
  );
}

async function decode(bytes: Buffer, mimeType: string): Promise<Omit<ReferenceImage, "part" | "role">> {
  const actual = sniff(bytes);
  if (actual === null || undecodable.includes(actual))
    throw invalidArgument("Unable to process input image.");
  if (actual !== mimeType && !(isHeif(actual) && isHeif(mimeType))) {
    throw invalidArgument(`Unhandled generated data mime type: ${actual}`);
  }
  if (!isComplete(bytes, actual)) throw invalidArgument("Provided image is not valid");
  if (!drawable.includes(actual)) return { bytes, mimeType, picture: null, pixels: null };
  const picture = new Image();
  picture.src = bytes;
  try {
    await picture.decode();
  } catch {
    // The canvas says no more than "cannot be decoded", and neither does Google.
    throw invalidArgument("Provided image is not valid");
  }
  return { bytes, mimeType, picture, pixels: { width: picture.width, height: picture.height } };
}

function isHeif(type: string): boolean {
  return type === "image/heic" || type === "image/heif";
}
