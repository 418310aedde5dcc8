import type { Upstream } from "@plantain/core/job/failure";

/** Characters of somebody else's words that are worth keeping with a job. */
const longest = 500;

/** What Gemini said, without what it left out. */
export function upstreamOf(said: {
  status?: number | null;
  finishReason?: string | null;
  message?: string | null;
}): Upstream {
  return {
    ...(said.status == null ? {} : { status: said.status }),
    ...(said.finishReason ? { finishReason: shortened(said.finishReason) } : {}),
    ...(said.message ? { message: shortened(said.message) } : {}),
  };
}

export function shortened(text: string): string {
  const trimmed = text.trim();
  return trimmed.length <= longest ? trimmed : `${trimmed.slice(0, longest - 1).toWellFormed()}…`;
}
