import {
  type Content,
  type GenerateContentConfig,
  type GenerateContentParameters,
  HarmBlockThreshold,
  HarmCategory,
  Modality,
  type Part,
  ThinkingLevel,
  type Tool,
} from "@google/genai/web";
import type { HistoryTurn, ImageInput, ModelCall, ReplyPart } from "@plantain/core/job/ports";
import type { Safety } from "@plantain/core/job/request";

const levels = {
  minimal: ThinkingLevel.MINIMAL,
  low: ThinkingLevel.LOW,
  medium: ThinkingLevel.MEDIUM,
  high: ThinkingLevel.HIGH,
};

const categories = {
  harassment: HarmCategory.HARM_CATEGORY_HARASSMENT,
  hate_speech: HarmCategory.HARM_CATEGORY_HATE_SPEECH,
  sexually_explicit: HarmCategory.HARM_CATEGORY_SEXUALLY_EXPLICIT,
  dangerous_content: HarmCategory.HARM_CATEGORY_DANGEROUS_CONTENT,
};

const thresholds = {
  block_low_and_above: HarmBlockThreshold.BLOCK_LOW_AND_ABOVE,
  block_medium_and_above: HarmBlockThreshold.BLOCK_MEDIUM_AND_ABOVE,
  block_only_high: HarmBlockThreshold.BLOCK_ONLY_HIGH,
  block_none: HarmBlockThreshold.BLOCK_NONE,
  off: HarmBlockThreshold.OFF,
};

/**
 * What @google/genai is asked for one picture: the turns before, then the reference images, then the prompt. Of what can
 * be chosen only what was chosen is sent, for some models refuse even a default.
 */
export function requestOf(call: ModelCall): GenerateContentParameters & { config: GenerateContentConfig } {
  return {
    model: call.model,
    contents: [...call.history.flatMap(turnContents), asked(call)],
    config: {
      responseModalities: modalities(call),
      automaticContinuation: false, // one call is one request, or it would be paid more than once
      ...imageConfig(call),
      ...(call.thinking === null ? {} : { thinkingConfig: { thinkingLevel: levels[call.thinking] } }),
      ...tools(call),
      ...safetySettings(call.safety),
      ...(call.seed === null ? {} : { seed: call.seed }),
    },
  };
}

function turnContents(turn: HistoryTurn): Content[] {
  return [asked(turn), { role: "model", parts: turn.reply.map(replyPart) }];
}

function asked({ images, prompt }: Pick<HistoryTurn, "images" | "prompt">): Content {
  return { role: "user", parts: [...images.map(imagePart), ...(prompt === "" ? [] : [{ text: prompt }])] };
}

/** As the model gave it, for it checks the signature against the part. */
function replyPart(part: ReplyPart): Part {
  const signature = part.signature === null ? {} : { thoughtSignature: part.signature };
  return { ...(part.type === "text" ? { text: part.text } : imagePart(part)), ...signature };
}

function imagePart({ mediaType, bytes }: ImageInput): Part {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  return { inlineData: { mimeType: mediaType, data } };
}

/** A search has to be told of in words: asked for a picture alone, Gemini draws none. */
function modalities({ output, grounding }: ModelCall): Modality[] {
  const isPictureAlone = output === "image" && !grounding.web && !grounding.images;
  return isPictureAlone ? [Modality.IMAGE] : [Modality.TEXT, Modality.IMAGE];
}

function imageConfig({ aspectRatio, imageSize }: ModelCall): GenerateContentConfig {
  if (aspectRatio === null && imageSize === null) return {};
  return {
    imageConfig: {
      ...(aspectRatio === null ? {} : { aspectRatio }),
      ...(imageSize === null ? {} : { imageSize }),
    },
  };
}

function tools({ grounding: { web, images } }: ModelCall): { tools?: Tool[] } {
  if (!web && !images) return {};
  if (!images) return { tools: [{ googleSearch: {} }] };
  return {
    tools: [{ googleSearch: { searchTypes: { ...(web ? { webSearch: {} } : {}), imageSearch: {} } } }],
  };
}

function safetySettings(safety: Safety): GenerateContentConfig {
  const settings = Object.entries(categories).flatMap(([name, category]) => {
    const threshold = Object.entries(safety).find(([named]) => named === name)?.[1];
    return threshold === undefined ? [] : [{ category, threshold: thresholds[threshold] }];
  });
  return settings.length === 0 ? {} : { safetySettings: settings };
}
