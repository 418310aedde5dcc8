/** The parts of a `GenerateContentResponse` that the simulator sends. */
export type GenerateReply = {
  candidates?: readonly Candidate[] | null;
  promptFeedback?: PromptFeedback;
  usageMetadata?: Usage;
  modelVersion?: string;
  responseId?: string;
};

export type Candidate = {
  content?: { parts?: readonly ReplyPart[] | null; role?: "model" };
  finishReason?: string;
  index: number;
  finishMessage?: string;
  safetyRatings?: readonly SafetyRating[];
  groundingMetadata?: object;
};

export type ReplyPart = {
  text?: string;
  inlineData?: { mimeType: string; data: string };
  thought?: true;
  thoughtSignature?: string;
};

export type SafetyRating = { category: string; probability: string; blocked?: true };

export type PromptFeedback = { blockReason: string; safetyRatings?: readonly SafetyRating[] };

export type TokenCount = { modality: "TEXT" | "IMAGE"; tokenCount: number };

export type Usage = {
  promptTokenCount: number;
  candidatesTokenCount?: number;
  totalTokenCount?: number;
  promptTokensDetails?: readonly TokenCount[];
  candidatesTokensDetails?: readonly TokenCount[];
  thoughtsTokenCount?: number;
};

/** The finish reason of the first candidate, if there is one. */
export function finishReasonOf(reply: GenerateReply): string | null {
  return reply.candidates?.[0]?.finishReason ?? null;
}
