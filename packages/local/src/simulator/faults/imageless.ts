import type { Candidate, GenerateReply, PromptFeedback, SafetyRating, Usage } from "../reply.ts";
import { type CostTokens, promptDetails, textTokens, usageOf } from "../usage.ts";
import type { Fault, Scene } from "./fault.ts";

type Answer = { reply: GenerateReply; tokens: CostTokens };

const safetyRatings: readonly SafetyRating[] = [
  { category: "HARM_CATEGORY_SEXUALLY_EXPLICIT", probability: "NEGLIGIBLE" },
  { category: "HARM_CATEGORY_HATE_SPEECH", probability: "NEGLIGIBLE" },
  { category: "HARM_CATEGORY_HARASSMENT", probability: "NEGLIGIBLE" },
  { category: "HARM_CATEGORY_DANGEROUS_CONTENT", probability: "HIGH", blocked: true },
];

const notShown = {
  other:
    "Unable to show the generated image. The model could not generate the image based on the prompt provided. You will not be charged for this request. Try rephrasing the prompt.",
  prohibited:
    "Unable to show the generated image due to interests of third-party content providers. Please edit your prompt and try again. If you think this was an error, send feedback. Support code: 35561575",
  safety:
    "Unable to show the generated image. The image was filtered out because it violated Google's Generative AI Prohibited Use policy. Try rephrasing the prompt.",
};

const refusal = "I can't create that image. Could you tell me more about what you would like to see?";

/** Answers 200, but without an image. */
export const imagelessFaults: readonly Fault[] = [
  finished("IMAGE_OTHER", "no image, and none is charged", { finishMessage: notShown.other }, 11),
  finished("IMAGE_PROHIBITED_CONTENT", "the image is withheld for third-party rights", {
    content: { role: "model" },
    finishMessage: notShown.prohibited,
  }),
  {
    ...imageless("IMAGE_SAFETY", "the image is withheld by the safety filter", false, (scene, argument) =>
      ended(
        scene,
        argument === "null"
          ? { content: { parts: null }, finishReason: "IMAGE_SAFETY" }
          : { content: {}, finishReason: "IMAGE_SAFETY", finishMessage: notShown.safety },
      ),
    ),
    argument: '"null" for parts: null and no finishMessage',
  },
  imageless("NO_IMAGE", "the model made no image and said nothing", false, (scene) =>
    ended(scene, { finishReason: "NO_IMAGE" }),
  ),
  imageless("NO_IMAGE_TEXT", "finish reason NO_IMAGE beside a text, which is billed", true, (scene) => {
    const text = `This is what I would draw: ${scene.prompt}`;
    return ended(scene, { ...saying(text), finishReason: "NO_IMAGE" }, textTokens(text));
  }),
  imageless("TEXT_ONLY", "the model answers with words only, which are billed", true, (scene) =>
    ended(scene, { ...saying(refusal), finishReason: "STOP" }, textTokens(refusal)),
  ),
  finished("IMAGE_RECITATION", "the image resembles its training data"),
  finished("RECITATION", "the answer resembles its training data"),
  finished("PROHIBITED_CONTENT", "the content is prohibited", { safetyRatings }),
  finished("SAFETY", "the content is unsafe", { safetyRatings }),
  finished("MALFORMED_FUNCTION_CALL", "the model tried to call a function", { content: {} }),
  finished("MALFORMED_RESPONSE", "the model's answer cannot be read", { content: {} }),
  finished("OTHER", "no reason given", { content: {} }),
  {
    ...finished("UNKNOWN_FINISH", "a finish reason that no enum has"),
    argument: "the finish reason, ESCALATION by default",
    effect: {
      kind: "imageless",
      answer: (scene, argument) => ended(scene, { content: {}, finishReason: argument ?? "ESCALATION" }),
    },
  },
  imageless("MAX_TOKENS", "thinking used up the output tokens, which are billed", true, (scene) => {
    const tokens = { ...spent(scene), thinking: Math.max(scene.thinking, 1) };
    return reply(scene, [{ content: { role: "model" }, finishReason: "MAX_TOKENS", index: 0 }], tokens);
  }),
  imageless("EMPTY_CANDIDATES", "an empty list of candidates", false, (scene) => reply(scene, [])),
  imageless("NULL_CANDIDATES", "candidates: null", false, (scene) => reply(scene, null)),
  imageless("EMPTY_BODY", "the body {}", false, (scene) => ({ reply: {}, tokens: spent(scene) })),
  {
    ...imageless("PROMPT_BLOCKED", "the prompt is blocked before the model runs", false, (scene, argument) =>
      blocked(scene, argument ?? "PROHIBITED_CONTENT"),
    ),
    argument: "the blockReason, PROHIBITED_CONTENT by default",
  },
];

function imageless(
  name: string,
  what: string,
  billed: boolean,
  answer: (scene: Scene, argument: string | null) => Answer,
): Fault {
  return { name, what: `200: ${what}`, billed, effect: { kind: "imageless", answer } };
}

/** An unbilled row whose name is the finish reason. */
function finished(name: string, what: string, rest: Omit<Candidate, "index"> = {}, outputText = 0): Fault {
  return imageless(name, what, false, (scene) =>
    ended(scene, { content: {}, ...rest, finishReason: name }, outputText),
  );
}

function ended(scene: Scene, candidate: Omit<Candidate, "index">, outputText = 0): Answer {
  return reply(scene, [{ ...candidate, index: 0 }], { ...spent(scene), outputText });
}

function reply(
  scene: Scene,
  candidates: readonly Candidate[] | null,
  tokens: CostTokens = spent(scene),
): Answer {
  const usage = usageOf(tokens);
  const usageMetadata = { ...usage, candidatesTokenCount: usage.candidatesTokenCount ?? 0 };
  return { reply: { candidates, usageMetadata, ...stamp(scene) }, tokens };
}

function blocked(scene: Scene, blockReason: string): Answer {
  const { inputText, inputImage } = scene.input;
  const promptTokenCount = inputText + inputImage;
  const promptFeedback: PromptFeedback =
    blockReason === "OTHER" ? { blockReason, safetyRatings: [] } : { blockReason };
  const usageMetadata: Usage = {
    promptTokenCount,
    ...(blockReason === "OTHER" ? { candidatesTokenCount: 0 } : { totalTokenCount: promptTokenCount }),
    promptTokensDetails: promptDetails(scene.input),
  };
  return { reply: { promptFeedback, usageMetadata, ...stamp(scene) }, tokens: spent(scene) };
}

function saying(text: string): Pick<Candidate, "content"> {
  return { content: { parts: [{ text }], role: "model" } };
}

function spent(scene: Scene): CostTokens {
  return { ...scene.input, outputText: 0, outputImage: 0, thinking: 0 };
}

function stamp(scene: Scene): Pick<GenerateReply, "modelVersion" | "responseId"> {
  return { modelVersion: scene.model, responseId: scene.responseId };
}
