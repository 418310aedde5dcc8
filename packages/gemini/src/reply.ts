import type { GroundingRecord } from "@plantain/core/job/outcome";
import type { Usage } from "@plantain/core/model/pricing";
import * as z from "zod";
import { GroundingMetadata, groundingOf } from "./grounding.ts";
import { UsageMetadata, usageOf } from "./usage.ts";

/** What a generateContent reply with status 200 says. */
export type Reply = {
  /** The answer's texts and pictures in their order, without the model's thoughts. */
  readonly parts: readonly Part[];
  /** Its texts; `null` if there are none. */
  readonly text: string | null;
  /** Why the prompt, or else the answer, ended as it did: an open list. */
  readonly blockReason: string | null;
  readonly finishReason: string | null;
  /** What Google adds to that reason. */
  readonly explanation: string | null;
  readonly grounding: GroundingRecord | null;
  readonly usage: Usage | null;
};

/** `name` is what stands in the JSON for a picture's base64. */
export type Part = { readonly signature: string | null } & (
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image"; readonly name: string }
);

const Text = z.string().nullish().catch(null);

const ReplyPart = z
  .object({
    text: Text,
    thought: z.boolean().nullish().catch(null),
    thoughtSignature: Text,
    inlineData: z.object({ data: Text }).nullish().catch(null),
  })
  .catch({});

const Candidate = z
  .object({
    content: z
      .object({ parts: z.array(ReplyPart).nullish().catch(null) })
      .nullish()
      .catch(null),
    finishReason: Text,
    finishMessage: Text,
    groundingMetadata: GroundingMetadata.nullish().catch(null),
  })
  .catch({});

const GenerateContentReply = z
  .object({
    candidates: z.array(Candidate).nullish().catch(null),
    promptFeedback: z.object({ blockReason: Text, blockReasonMessage: Text }).nullish().catch(null),
    usageMetadata: UsageMetadata.nullish().catch(null),
  })
  .catch({});

/** Reads what is there; whatever is missing or of another type than documented counts as absent. */
export function readReply(json: unknown): Reply {
  const { candidates, promptFeedback, usageMetadata } = GenerateContentReply.parse(json);
  const candidate = candidates?.[0];
  const parts = (candidate?.content?.parts ?? []).flatMap(partOf);
  const text = parts.flatMap((part) => (part.type === "text" ? part.text.trim() || [] : [])).join("\n");
  const hasImage = parts.some(({ type }) => type === "image");
  return {
    parts,
    text: text === "" ? null : text,
    blockReason: promptFeedback?.blockReason ?? null,
    finishReason: candidate?.finishReason ?? null,
    explanation: candidate?.finishMessage ?? promptFeedback?.blockReasonMessage ?? null,
    grounding: candidate?.groundingMetadata ? groundingOf(candidate.groundingMetadata) : null,
    usage: usageMetadata ? usageOf(usageMetadata, hasImage) : null,
  };
}

/** An empty text counts where it bears a signature. */
function partOf({ thought, inlineData, text, thoughtSignature }: z.infer<typeof ReplyPart>): Part[] {
  if (thought === true) return [];
  const signature = thoughtSignature || null;
  if (inlineData?.data) return [{ type: "image", name: inlineData.data, signature }];
  return text || signature ? [{ type: "text", text: text ?? "", signature }] : [];
}
