import type { Billed, Failure, FailureCode } from "@plantain/core/job/failure";
import type { Reply } from "./reply.ts";
import { shortened, upstreamOf } from "./upstream.ts";

type Rule = {
  readonly applies: (reply: Reply) => boolean;
  readonly code: FailureCode;
  readonly message: (reply: Reply) => string;
};

const person = /\bpersons?\b|\bpeople\b|celebrit|public figure|likeness/i;
const personReason = /PERSON|PEOPLE|CELEBRIT|LIKENESS/;
/** Reasons of a policy, and whatever Google may yet name in their fashion. */
const policy = /SAFETY|PROHIBITED|BLOCK|SPII|JAILBREAK|MODEL_ARMOR|POLICY/;
const recitation = /RECITATION/;

/** Read from the top: the first rule that applies counts. */
const rules: readonly Rule[] = [
  {
    applies: ({ blockReason, finishReason, explanation }) =>
      personReason.test(`${blockReason} ${finishReason}`) ||
      ((blockReason !== null || policy.test(finishReason ?? "")) && person.test(explanation ?? "")),
    code: "content_blocked.person",
    message: () => "Gemini refused to draw this person",
  },
  {
    applies: ({ blockReason }) => blockReason !== null,
    code: "content_blocked.prompt",
    message: () => "Gemini refused the prompt or a reference image",
  },
  {
    applies: ({ finishReason }) => recitation.test(finishReason ?? ""),
    code: "content_blocked.recitation",
    message: () => "Gemini withheld the picture: it is too close to an existing work",
  },
  {
    applies: ({ finishReason }) => policy.test(finishReason ?? ""),
    code: "content_blocked.output",
    message: () => "Gemini withheld the picture",
  },
  {
    applies: ({ finishReason }) => finishReason === "MISSING_THOUGHT_SIGNATURE",
    code: "history_rejected",
    message: () => "Gemini no longer accepts the turns before this one",
  },
  {
    applies: ({ finishReason, text }) => text !== null && (finishReason === null || finishReason === "STOP"),
    code: "text_only",
    message: ({ text }) => `Gemini answered in words: ${shortened(text ?? "")}`,
  },
];

const noImage = { code: "no_image", message: () => "Gemini answered without a picture" } as const;

/** Classifies a reply with status 200 that holds no picture. */
export function noImageFailure(reply: Reply): Failure {
  const { code, message }: Omit<Rule, "applies"> = rules.find(({ applies }) => applies(reply)) ?? noImage;
  return {
    code,
    message: message(reply),
    billed: billedOf(reply),
    upstream: upstreamOf({
      status: 200,
      finishReason: reply.blockReason ?? reply.finishReason,
      message: reply.explanation,
    }),
  };
}

/** What Google bills are the tokens it tells: without a word about them, only a prompt that never reached the model is free. */
function billedOf({ explanation, text, usage, blockReason }: Reply): Billed {
  if (/(not|n't) be charged/i.test(explanation ?? "")) return "no";
  if (text !== null) return "yes";
  if (usage) return usage.outputText + usage.outputImage + usage.thinking > 0 ? "yes" : "no";
  return blockReason === null ? "unknown" : "no";
}
