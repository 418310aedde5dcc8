import { checkSignatures } from "./check-signatures.ts";
import { checkContents, lastTurn, textsOf } from "./conversation.ts";
import type { LedgerCall } from "./ledger.ts";
import { withoutMarkers } from "./markers.ts";
import { findModel, modelNotFoundMessage } from "./models.ts";
import { type PictureCall, pictureSeed } from "./picture-answer.ts";
import { readImages } from "./reference-images.ts";
import { notFound } from "./refusal.ts";
import type { GenerateRequest } from "./request-fields.ts";
import { inputTokens } from "./usage.ts";
import { checkConfig } from "./validate-config.ts";
import type { World } from "./world.ts";

/** A call of a model whose body has been parsed; `entry` is its open ledger entry. */
export type ModelCall = {
  model: string;
  version: string;
  key: string;
  request: GenerateRequest;
  entry: LedgerCall;
};

/**
 * Validates a request as the server would and gathers what its answer depends on; notes what was asked in the ledger.
 *
 * @throws Refusal
 */
export async function examine(
  world: World,
  { model: id, version, key, request, entry }: ModelCall,
  prompt: string,
): Promise<Omit<PictureCall, "plan">> {
  const model = findModel(id);
  if (model === undefined) throw notFound(modelNotFoundMessage(id, version, "generateContent"));
  const contents = checkContents(request);
  const config = request.generationConfig;
  entry.aspectRatio = config?.imageConfig?.aspectRatio ?? config?.responseFormat?.image?.aspectRatio ?? null;
  entry.imageSize = config?.imageConfig?.imageSize ?? config?.responseFormat?.image?.imageSize ?? null;
  const asked = checkConfig(model, request);
  const images = await readImages(model, contents, world.files.read);
  entry.inputImages = images.filter((image) => image.role === "user").length;
  checkSignatures(world.signatures, model, key, contents, images);
  const instruction = request.systemInstruction === undefined ? [] : [request.systemInstruction];
  const texts = textsOf([...instruction, ...contents]).map(withoutMarkers);
  const turn = lastTurn(contents);
  const previous = images.findLast((image) => image.role === "model" && image.part.thought !== true);
  return {
    model,
    asked,
    scene: {
      model: model.id,
      version,
      prompt: withoutMarkers(prompt),
      input: inputTokens(texts, images.length),
      thinking: 0,
      responseId: world.ids.response(),
    },
    // What an edit starts from, then what this turn adds.
    images: images.filter(
      (image) => image === previous || turn.some((content) => content.parts?.includes(image.part)),
    ),
    seed: pictureSeed(model, texts, images, config ?? {}),
    sign: (image, bytes) => world.signatures.issue({ model: model.id, key, image }, bytes),
  };
}
