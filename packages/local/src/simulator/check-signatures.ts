import type { Model } from "./models.ts";
import type { ReferenceImage } from "./reference-images.ts";
import { invalidArgument } from "./refusal.ts";
import type { RequestContent, RequestPart } from "./request-fields.ts";
import type { SignatureScope, Signatures } from "./signatures.ts";

/**
 * Checks the thought signatures of the model's earlier turns: each image that the model made must come back with the one
 * it was issued, and whatever signature is sent must be genuine.
 *
 * @throws Refusal 400
 */
export function checkSignatures(
  signatures: Signatures,
  model: Model,
  key: string,
  contents: readonly RequestContent[],
  images: readonly ReferenceImage[],
): void {
  if (!model.signs) return;
  for (const [index, content] of contents.entries()) {
    if (content.role !== "model") continue;
    for (const [position, part] of (content.parts ?? []).entries()) {
      const image = images.find((each) => each.part === part)?.bytes ?? null;
      checkPart(signatures, { model: model.id, key, image }, part, index, position);
    }
  }
}

function checkPart(
  signatures: Signatures,
  scope: SignatureScope,
  part: RequestPart,
  index: number,
  position: number,
): void {
  if (part.thoughtSignature === undefined || part.thoughtSignature.length === 0) {
    if (scope.image === null || part.thought === true) return;
    throw invalidArgument(
      `Image part is missing a thought_signature in content position ${index + 1}, part position ${position + 1}. Please refer to https://ai.google.dev/gemini-api/docs/thought-signatures#model-behavior for more details.`,
    );
  }
  const verdict = signatures.check(part.thoughtSignature, scope);
  if (verdict === "corrupted") throw invalidArgument("Corrupted thought signature.");
  if (verdict === "foreign") {
    throw invalidArgument(
      `Unable to submit request because it has an invalid thought signature for content at index ${index}`,
    );
  }
}
