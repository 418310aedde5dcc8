import type { Candidate, GenerateReply, ReplyPart } from "./reply.ts";

/**
 * Splits a reply as a stream gives it: texts in two pieces, each image whole in one chunk, then an empty part with the
 * text's signature, and last the finish reason with the full usage. A reply without visible parts is one chunk.
 */
export function chunksOf(reply: GenerateReply): readonly GenerateReply[] {
  const candidate = reply.candidates?.[0];
  const parts = candidate?.content?.parts ?? [];
  if (candidate === undefined || parts.length === 0) return [reply];
  const { content: _, finishReason, groundingMetadata, finishMessage, ...rest } = candidate;
  const last: Candidate = {
    ...rest,
    content: { role: "model" },
    ...(finishReason === undefined ? {} : { finishReason }),
    ...(finishMessage === undefined ? {} : { finishMessage }),
    ...(groundingMetadata === undefined ? {} : { groundingMetadata }),
  };
  const signature = parts.find((part) => part.text !== undefined)?.thoughtSignature;
  const late: ReplyPart[] = signature === undefined ? [] : [{ text: "", thoughtSignature: signature }];
  const pieces = [...parts.flatMap(piecesOf), ...late];
  const { usageMetadata, ...stamp } = reply;
  const early = usageMetadata && {
    promptTokenCount: usageMetadata.promptTokenCount,
    totalTokenCount: usageMetadata.promptTokenCount,
  };
  return [
    ...pieces.map((part) => ({
      ...stamp,
      candidates: [{ index: 0, content: { parts: [part], role: "model" as const } }],
      ...(early === undefined ? {} : { usageMetadata: early }),
    })),
    { ...reply, candidates: [last] },
  ];
}

function piecesOf(part: ReplyPart): ReplyPart[] {
  if (part.text === undefined) return [part];
  const middle = Math.ceil(part.text.length / 2);
  const thought = part.thought === true ? { thought: part.thought } : {};
  return [part.text.slice(0, middle), part.text.slice(middle)]
    .filter((text) => text !== "")
    .map((text) => ({ text, ...thought }));
}
