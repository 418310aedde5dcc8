import { drawPicture, type Picture } from "./draw/picture.ts";
import type { Plan, Scene } from "./faults/fault.ts";
import { groundingMetadata } from "./grounding.ts";
import type { Model } from "./models.ts";
import { hashOf, sha256 } from "./random.ts";
import type { ReferenceImage } from "./reference-images.ts";
import type { GenerateReply, ReplyPart } from "./reply.ts";
import { nearestRatio, type Pixels, pixelsOf } from "./sizes.ts";
import { type CostTokens, textTokens, usageOf } from "./usage.ts";
import type { Asked } from "./validate-config.ts";

/** All that decides the answer of a model that does what it was asked. */
export type PictureCall = {
  model: Model;
  scene: Scene;
  asked: Asked;
  plan: Plan;
  images: readonly ReferenceImage[];
  /** A hash of prompt, inputs and configuration. */
  seed: string;
  /** A thought signature of `bytes` bytes for a part, bound to its image if it is one. */
  sign: (image: Buffer | null, bytes: number) => string;
};

/** What the answer will cost; known before anything is drawn. */
export function pictureTokens({ model, scene, asked, plan }: PictureCall): CostTokens {
  const each = model.imageTokens[asked.size ?? "1K"] ?? 0;
  return {
    ...scene.input,
    outputText: asked.text ? textTokens(spokenText(scene, asked)) : 0,
    outputImage: asked.image ? each * plan.images : 0,
    thinking: scene.thinking,
  };
}

/** Draws the images and builds the reply around them. */
export async function pictureAnswer(call: PictureCall): Promise<GenerateReply> {
  const { asked, scene, plan } = call;
  const text = asked.text ? spokenText(scene, asked) : null;
  const count = asked.image ? plan.images : 0;
  const final = await Promise.all(Array.from({ length: count }, (_, index) => drawImage(call, `${index}`)));
  const visible: ReplyPart[] = text === null ? [] : [{ text }];
  const parts = [
    ...(await thoughtParts(call, final[0])),
    ...visible.map((part) => signed(call, part, null, true)),
    ...final.map((image, index) => signed(call, imagePart(image), image.bytes, text === null && index === 0)),
  ];
  const candidate = {
    content: { parts, role: "model" as const },
    finishReason: "STOP",
    index: 0,
    ...(asked.search.web || asked.search.images
      ? { groundingMetadata: groundingMetadata(scene.prompt, asked.search, text) }
      : {}),
  };
  return {
    candidates: [candidate],
    usageMetadata: usageOf(pictureTokens(call)),
    modelVersion: scene.model,
    responseId: scene.responseId,
  };
}

type Drawn = { bytes: Buffer; mimeType: string };

function imagePart({ bytes, mimeType }: Drawn): ReplyPart {
  return { inlineData: { mimeType, data: bytes.toString("base64") } };
}

/** The first visible part and every image carry a signature; later texts do not. */
function signed(call: PictureCall, part: ReplyPart, image: Buffer | null, first: boolean): ReplyPart {
  const length = call.model.signs && (first || image !== null) ? call.plan.signatureBytes : 0;
  return length > 0 ? { ...part, thoughtSignature: call.sign(image, length) } : part;
}

/** Thoughts come first and unsigned; the last thought image is the final one, as the guide says. */
async function thoughtParts(call: PictureCall, final: Drawn | undefined): Promise<ReplyPart[]> {
  const { asked, plan, scene } = call;
  const include = asked.thinking?.include ?? false;
  const texts: ReplyPart[] = include
    ? [
        {
          text: `**Composing the picture**\n\nI consider how to show: ${scene.prompt.slice(0, 200)}\n`,
          thought: true,
        },
      ]
    : [];
  if (final === undefined) return texts;
  const usual = include && asked.thinking?.level !== "MINIMAL" ? 1 : 0;
  const count = Math.max(plan.thoughtImages, usual);
  const images = await Promise.all(
    Array.from({ length: count }, (_, index) =>
      index === count - 1 ? Promise.resolve(final) : drawImage(call, `thought ${index}`),
    ),
  );
  return [...texts, ...images.map((image): ReplyPart => ({ ...imagePart(image), thought: true }))];
}

async function drawImage(call: PictureCall, which: string): Promise<Drawn> {
  const { model, asked, plan, scene, images } = call;
  const shape = images.findLast((image) => image.pixels !== null)?.pixels ?? null;
  const ratio = asked.ratio ?? (shape === null ? "1:1" : nearestRatio(model.ratios, shape));
  const size = asked.size ?? "1K";
  const right = pixelsOf(model.family, ratio, size);
  const pixels = plan.wrongSize ? wrongPixels(right, pixelsOf(model.family, ratio, "1K")) : right;
  const seed = hashOf(call.seed, which);
  const type = Number.parseInt(seed.slice(0, 2), 16) % 8 < model.jpegOf8 ? "image/jpeg" : "image/png";
  const references =
    images.length === 0 ? "" : ` · ${images.length} reference image${images.length > 1 ? "s" : ""}`;
  const picture: Picture = {
    ...pixels,
    type,
    seed,
    prompt: scene.prompt,
    caption: `${model.id} · ${ratio} · ${size} · ${pixels.width}×${pixels.height}${references}`,
    thumbnails: images.map((image) => ({ picture: image.picture, label: labelOf(image.mimeType) })),
  };
  const other = type === "image/png" ? "image/jpeg" : "image/png";
  return { bytes: await drawPicture(picture), mimeType: plan.wrongMime ? other : type };
}

/** Larger tiers fall back to 1K, as has been reported of the real models; at 1K a few pixels go missing. */
function wrongPixels(right: Pixels, base: Pixels): Pixels {
  if (right.width > base.width) return base;
  return { width: right.width - 16, height: right.height - 8 };
}

function labelOf(mimeType: string): string {
  return (mimeType.split("/")[1] ?? mimeType).toUpperCase();
}

function spokenText(scene: Scene, asked: Asked): string {
  const subject = scene.prompt.slice(0, 120).trim();
  return asked.image ? `Here is your image: ${subject}` : `I can describe it in words only: ${subject}`;
}

/** The hash that decides the pictures: model, texts, input images and configuration, nothing else. */
export function pictureSeed(
  model: Model,
  texts: readonly string[],
  images: readonly ReferenceImage[],
  configuration: object,
): string {
  const inputs = images.map((image) => sha256(image.bytes));
  return hashOf(model.id, ...texts, "images", ...inputs, JSON.stringify(configuration));
}
