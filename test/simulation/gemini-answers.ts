import type { Billed, FailureCode } from "@plantain/core/job/failure";
import type { Answer, GeneratedPart } from "@plantain/core/job/ports";
import { noUsage, type Usage } from "@plantain/core/model/pricing";
import { sampleAnswer, sampleImage } from "@plantain/memory/samples";
import type { Dice } from "./dice.ts";
import type { Profile } from "./profile.ts";

/** What Gemini has decided to do with one call. */
export type Plan = {
  readonly answer: Answer;
  /** Whether it charges for it, which it may not tell. */
  readonly billed: boolean;
  readonly usage: Usage;
  readonly takesMs: number;
};

/** Words at the start of a prompt that decide how Gemini takes it; any other prompt is drawn, as a rule. */
export const moods = ["blocked", "wordy", "killer"] as const;

type Misfortune = {
  readonly code: FailureCode;
  readonly weight: number;
  readonly billed: Billed;
  readonly slow: boolean;
};

const misfortunes: readonly Misfortune[] = [
  { code: "rate_limited", weight: 30, billed: "no", slow: false },
  { code: "overloaded", weight: 25, billed: "no", slow: false },
  { code: "upstream_error", weight: 8, billed: "no", slow: true },
  { code: "upstream_error", weight: 5, billed: "unknown", slow: true },
  { code: "no_image", weight: 12, billed: "yes", slow: true },
  { code: "text_only", weight: 4, billed: "yes", slow: true },
  { code: "content_blocked.output", weight: 4, billed: "yes", slow: true },
  { code: "content_blocked.prompt", weight: 2, billed: "no", slow: false },
  { code: "quota_exhausted", weight: 1, billed: "no", slow: false },
  { code: "invalid_request", weight: 1, billed: "no", slow: false },
  // Nobody waits that long for it
  { code: "timeout", weight: 3, billed: "unknown", slow: true },
];
const totalWeight = misfortunes.reduce((sum, { weight }) => sum + weight, 0);

/**
 * Draws what becomes of a call.
 * @param number of the call; it makes its picture and its cost unlike any other's
 */
export function planAnswer(
  dice: Dice,
  profile: Profile,
  { number, prompt, isStormy }: { number: number; prompt: string; isStormy: boolean },
): Plan {
  const mood = moods.find((word) => prompt.startsWith(word));
  if (isStormy)
    return failing(dice, profile, number, dice.chance(0.7) ? quick("rate_limited") : quick("overloaded"));
  if (mood === "blocked") return failing(dice, profile, number, quick("content_blocked.prompt"));
  if (mood === "wordy")
    return failing(dice, profile, number, { code: "text_only", weight: 1, billed: "yes", slow: true });
  if (dice.chance(profile.providerFailures)) return failing(dice, profile, number, drawn(dice));
  const usage: Usage = { ...noUsage, inputText: 5, outputImage: 1120, thinking: 200 + number };
  const answer = sampleAnswer(`picture ${number}`);
  const interim: GeneratedPart = { type: "image", image: sampleImage(`interim ${number}`), signature: null };
  return {
    answer: { ...answer, usage, parts: dice.chance(0.2) ? [interim, ...answer.parts] : answer.parts },
    billed: true,
    usage,
    takesMs: drawingMs(dice, profile),
  };
}

function drawingMs(dice: Dice, { slowPictures }: Profile): number {
  return dice.chance(slowPictures)
    ? dice.between(60_000, 235_000)
    : Math.min(200_000, dice.lognormal(18_000, 0.6));
}

function drawn(dice: Dice): Misfortune {
  let rest = dice.between(0, totalWeight);
  for (const misfortune of misfortunes) {
    rest -= misfortune.weight;
    if (rest < 0) return misfortune;
  }
  return quick("overloaded");
}

function quick(code: FailureCode): Misfortune {
  return { code, weight: 1, billed: "no", slow: false };
}

function failing(dice: Dice, profile: Profile, number: number, { code, billed, slow }: Misfortune): Plan {
  const isBilled = billed === "yes" || (billed === "unknown" && dice.chance(0.5));
  const usage: Usage = { ...noUsage, inputText: 5, thinking: 200 + number };
  const asksToWait = code === "rate_limited" && dice.chance(0.7);
  return {
    answer: {
      type: "failure",
      failure: {
        code,
        message: "Simulated",
        billed,
        ...(asksToWait ? { retryAfterMs: Math.round(dice.between(1_000, 40_000)) } : {}),
      },
      usage: billed === "yes" ? usage : null,
    },
    billed: isBilled,
    usage,
    takesMs: code === "timeout" ? 3_600_000 : slow ? drawingMs(dice, profile) : dice.between(100, 2_000),
  };
}
