import type { Model, ThinkingLevel } from "./models.ts";
import { internalError, invalidArgument, Refusal } from "./refusal.ts";
import type { GenerateRequest } from "./request-fields.ts";
import type { ImageSize, Ratio } from "./sizes.ts";

type GenerationConfig = NonNullable<GenerateRequest["generationConfig"]>;
type Tools = NonNullable<GenerateRequest["tools"]>;

/** What a valid configuration asks of the model. */
export type Asked = {
  /** null: the shape of the last reference image, else square. */
  ratio: Ratio | null;
  /** null: not sent, the model's usual size. */
  size: ImageSize | null;
  text: boolean;
  image: boolean;
  /** null: the model does not think. */
  thinking: { level: ThinkingLevel; include: boolean } | null;
  search: { web: boolean; images: boolean };
};

/**
 * Checks `generationConfig` and `tools` against what the model takes.
 *
 * @throws Refusal 400 in Google's words, or 500 for `imageSize` on a model without sizes, as Google answers it.
 */
export function checkConfig(model: Model, request: GenerateRequest): Asked {
  const config = request.generationConfig ?? {};
  if ((config.candidateCount ?? 1) !== 1) {
    throw invalidArgument("Multiple candidates is not enabled for this model");
  }
  if (config.mediaResolution !== undefined && model.family === "2.5") {
    throw invalidArgument("Media resolution is not enabled for this model");
  }
  if (config.responseMimeType !== undefined && config.responseMimeType !== "text/plain") {
    throw invalidArgument(`JSON mode is not enabled for models/${model.id}`);
  }
  return {
    ...checkModalities(model, config),
    ...checkImageConfig(model, config),
    thinking: checkThinking(model, config.thinkingConfig),
    search: checkTools(model, request.tools ?? []),
  };
}

function checkModalities(model: Model, config: GenerationConfig): Pick<Asked, "text" | "image"> {
  const asked = (config.responseModalities ?? []).filter((modality) => modality !== "MODALITY_UNSPECIFIED");
  if (asked.length === 0) return { text: true, image: true };
  if (asked.some((modality) => modality !== "TEXT" && modality !== "IMAGE")) {
    throw invalidArgument(
      `The requested combination of response modalities (${asked.join(", ")}) is not supported by the model. models/${model.id} accepts the following combination of response modalities:\n* IMAGE\n* TEXT\n* TEXT, IMAGE\n`,
    );
  }
  return { text: asked.includes("TEXT"), image: asked.includes("IMAGE") };
}

function checkImageConfig(model: Model, config: GenerationConfig): Pick<Asked, "ratio" | "size"> {
  const image = { ...config.responseFormat?.image, ...config.imageConfig };
  const ratio = member(model.ratios, image.aspectRatio, "aspect_ratio");
  if (image.imageSize !== undefined && model.sizes.length === 0) throw new Refusal(internalError());
  return { ratio, size: member(model.sizes, image.imageSize, "image_size") };
}

function member<Value extends string>(
  allowed: readonly Value[],
  value: string | undefined,
  field: string,
): Value | null {
  if (value === undefined || value === "") return null;
  const found = allowed.find((each) => each === value);
  if (found !== undefined) return found;
  throw invalidArgument(
    `* GenerateContentRequest.generation_config.image_config.${field}: ${field} must be one of ${listed(allowed)}.\n`,
  );
}

function listed(values: readonly string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  const last = quoted.pop() ?? "";
  if (quoted.length === 0) return last;
  return `${quoted.join(", ")}${quoted.length > 1 ? "," : ""} or ${last}`;
}

function checkThinking(model: Model, config: GenerationConfig["thinkingConfig"]): Asked["thinking"] {
  if (model.thinking === null) {
    if (config === undefined) return null;
    throw invalidArgument(`Thinking is not enabled for models/${model.id}`);
  }
  const level = config?.thinkingLevel ?? "THINKING_LEVEL_UNSPECIFIED";
  if (level !== "THINKING_LEVEL_UNSPECIFIED" && config?.thinkingBudget !== undefined) {
    throw invalidArgument("You can only set only one of thinking budget and thinking level.");
  }
  const include = config?.includeThoughts ?? false;
  if (level === "THINKING_LEVEL_UNSPECIFIED") return { level: model.thinking.default, include };
  if (!model.thinking.levels.includes(level)) {
    throw invalidArgument(
      `Thinking level ${level} is not supported for this model. Please retry with other thinking level.`,
    );
  }
  return { level, include };
}

function checkTools(model: Model, tools: Tools): Asked["search"] {
  let web = false;
  let images = false;
  for (const { googleSearch, ...others } of tools) {
    const other = Object.keys(others)[0];
    if (other !== undefined) {
      throw invalidArgument(`Tool use with ${other} is not supported for models/${model.id}`);
    }
    if (googleSearch === undefined) continue;
    const types = googleSearch.searchTypes;
    web ||= types === undefined || types.webSearch !== undefined;
    images ||= types?.imageSearch !== undefined;
  }
  if (web && !model.search.web) throw invalidArgument("Search Grounding is not supported.");
  if (images && !model.search.images) {
    throw invalidArgument(`Image search is not supported for models/${model.id}`);
  }
  return { web, images };
}
