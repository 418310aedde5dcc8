import { inspect } from "@plantain/core/image/inspect";
import type { Answer, GeneratedImage, GeneratedPart } from "@plantain/core/job/ports";
import type { Picture } from "./arriving-picture.ts";
import type { Exchange } from "./exchange.ts";
import { failureOf } from "./failure.ts";
import { pictureName } from "./picture-scanner.ts";
import { type Part, readReply } from "./reply.ts";
import { upstreamOf } from "./upstream.ts";

/**
 * The answer in a reply with status 200: the last picture outside thoughts, with type and size as its bytes tell them.
 * Tokens of the pictures before it count all the same.
 * @param response as @google/genai gives it
 */
export function answerOf(response: unknown, { pictures, body }: Pick<Exchange, "pictures" | "body">): Answer {
  const reply = readReply(response);
  const last = reply.parts.findLast(({ type }) => type === "image");
  if (!last) {
    // Read again from the body: @google/genai drops Google's explanation.
    const whole = readReply(JSON.parse(body?.toString() ?? "null"));
    return { type: "failure", failure: failureOf({ type: "no_image", reply: whole }), usage: whole.usage };
  }
  const { text, grounding, usage, finishReason } = reply;
  const named = new Map(Array.from(pictures, ([index, picture]) => [pictureName(index), picture]));
  const parts = new Map(reply.parts.map((part) => [part, generated(part, named)]));
  const result = parts.get(last);
  if (result?.type !== "image") {
    return { type: "failure", failure: failureOf({ type: "unreadable", finishReason }), usage };
  }
  return {
    type: "image",
    image: result.image,
    parts: Array.from(parts.values()).filter((part) => part !== null),
    text,
    grounding,
    usage,
    upstream: upstreamOf({ status: 200, finishReason }),
  };
}

/** `null`: a picture that can't be read, or wasn't kept. */
function generated(part: Part, named: ReadonlyMap<string, Picture>): GeneratedPart | null {
  const { signature } = part;
  if (part.type === "text") return { type: "text", text: part.text, signature };
  const picture = named.get(part.name);
  const image = picture && measured(picture);
  return image ? { type: "image", image, signature } : null;
}

function measured({ bytes, size, sha256 }: Picture): GeneratedImage | null {
  const inspection = inspect(bytes);
  return "unreadable" in inspection ? null : { ...inspection, bytes, size, sha256 };
}
