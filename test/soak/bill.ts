import { costOf, dollars, type Usage } from "@plantain/core/model/pricing";
import { sampleRegistry } from "@plantain/memory/samples";
import * as z from "zod";
import type { Job } from "../e2e/client.ts";

const Tokens = z.object({
  input_tokens: z.object({ text: z.number(), image: z.number() }),
  output_tokens: z.object({ text: z.number(), image: z.number(), thinking: z.number() }),
});

/** The attempts of a job as the API tells them. */
export const Attempts = z.looseObject({
  data: z.array(
    z.looseObject({
      number: z.number(),
      started_at: z.string(),
      outcome: z.string(),
      calls: z.array(z.looseObject({ billed: z.boolean().nullable(), usage: Tokens.nullable() })),
    }),
  ),
});
type Attempt = z.infer<typeof Attempts>["data"][number];

/** A call in the simulator's ledger, as far as its bill goes. */
const BilledCall = z.looseObject({
  at: z.string(),
  model: z.string(),
  prompt: z.string(),
  costTokens: z.object({
    inputText: z.number(),
    inputImage: z.number(),
    outputText: z.number(),
    outputImage: z.number(),
    thinking: z.number(),
  }),
});
type BilledCall = z.infer<typeof BilledCall>;

/** A job of one image, what it tells, and what Google billed for it. */
export type Case = {
  readonly job: Job;
  readonly attempts: readonly Attempt[];
  readonly billed: readonly BilledCall[];
};

/** An attempt that was paid for, and whose image nobody has; `outcome` says what became of it. */
export type Unrewarded = { readonly job: string; readonly fence: number; readonly outcome: string };

/** What Google bills, and what the jobs tell of it; US dollars, summed in nanodollars and rounded at the end. */
export type Bill = {
  readonly billedCalls: number;
  readonly storedImages: number;
  /** Billed calls less stored images, and calls whose worker died between bill and store: the same number. */
  readonly surplusCalls: number;
  readonly paidAgainCalls: number;
  readonly ledgerUsd: string;
  /** Σ of all calls whose bill the jobs tell. */
  readonly toldUsd: string;
  /** Calls of which the jobs say that they don't know, how many of them were billed, and what those cost. */
  readonly unknownCalls: number;
  readonly unknownBilledCalls: number;
  readonly unknownUsd: string;
  /** Ledger less told less unknown: nothing. */
  readonly differenceNanoUsd: number;
};

/** By the beginning of its prompt, what was billed for a job. */
export function billedBy(
  calls: readonly { readonly billed: boolean }[],
  keyOf: (prompt: string) => string | undefined,
): Map<string, BilledCall[]> {
  const parsed = calls.filter(({ billed }) => billed).map((call) => BilledCall.parse(call));
  return Map.groupBy(parsed, ({ prompt }) => keyOf(prompt) ?? `not of a job: ${prompt}`);
}

/**
 * Lays each billed call to the attempt that made it: calls and attempts are timed by one clock, and a job has one
 * attempt at a time.
 */
export function judgeBill({ job, attempts, billed }: Case) {
  const imageFence = fenceOfImage(job);
  const paid = billed.map((call) => ({ call, fence: fenceAt(attempts, call.at) }));
  const unrewarded: Unrewarded[] = paid
    .filter(({ fence }) => fence !== imageFence)
    .map(({ fence }) => ({
      job: job.id,
      fence,
      outcome: attempts.find(({ number }) => number === fence)?.outcome ?? "none",
    }));
  const callsOfImage = paid.length - unrewarded.length;
  const died = unrewarded.filter(({ outcome }) => outcome === "worker_lost");
  const lines = attempts.map((attempt) => {
    const known = attempt.calls.filter((call) => call.billed === true);
    const unknown = attempt.calls.filter((call) => call.billed === null).length;
    const calls = paid.filter(({ fence }) => fence === attempt.number).map(({ call }) => call);
    return {
      toldNano: sum(known.map(({ usage }) => (usage ? costNano(job.model, usageOf(usage)) : 0))),
      ledgerNano: sum(calls.map(({ model, costTokens }) => costNano(model, costTokens))),
      unknown,
      isUnknown: unknown > 0,
      calls: calls.length,
      isCounted: known.length <= calls.length && calls.length <= known.length + unknown,
    };
  });
  const toldNano = sum(lines.map((line) => line.toldNano));
  return {
    paidAgain: died,
    unexplained: [
      ...unrewarded.filter(({ outcome }) => outcome !== "worker_lost"),
      ...(callsOfImage === job.images.length
        ? []
        : [{ job: job.id, fence: imageFence ?? 0, outcome: `${callsOfImage} calls for one image` }]),
    ],
    /** Each attempt tells what the ledger has, or that it doesn't know; the job shows the sum. */
    isTold:
      lines.every((line) => line.isCounted && (line.isUnknown || line.toldNano === line.ledgerNano)) &&
      job.cost.usd === dollars(toldNano) &&
      job.cost.unknown_attempts === lines.filter(({ isUnknown }) => isUnknown).length,
    toldNano,
    ledgerNano: sum(billed.map(({ model, costTokens }) => costNano(model, costTokens))),
    unknown: {
      calls: sum(lines.map(({ unknown }) => unknown)),
      billedCalls: sum(lines.map(({ isUnknown, calls }) => (isUnknown ? calls : 0))),
      nano: sum(lines.map((line) => (line.isUnknown ? line.ledgerNano - line.toldNano : 0))),
    },
  };
}

/** @param ledger all that was billed, also what was asked by nobody's job */
export function sumUp(
  cases: readonly Case[],
  judged: readonly ReturnType<typeof judgeBill>[],
  ledger: readonly BilledCall[],
): Bill {
  const ledgerNano = sum(ledger.map(({ model, costTokens }) => costNano(model, costTokens)));
  const toldNano = sum(judged.map((each) => each.toldNano));
  const unknownNano = sum(judged.map(({ unknown }) => unknown.nano));
  const storedImages = sum(cases.map(({ job }) => job.images.length));
  return {
    billedCalls: ledger.length,
    storedImages,
    surplusCalls: ledger.length - storedImages,
    paidAgainCalls: sum(judged.map(({ paidAgain }) => paidAgain.length)),
    ledgerUsd: dollars(ledgerNano),
    toldUsd: dollars(toldNano),
    unknownCalls: sum(judged.map(({ unknown }) => unknown.calls)),
    unknownBilledCalls: sum(judged.map(({ unknown }) => unknown.billedCalls)),
    unknownUsd: dollars(unknownNano),
    differenceNanoUsd: ledgerNano - toldNano - unknownNano,
  };
}

/** An image's key names the attempt that stored it: `out/<tenant>/<job>/<fence>/<index>`. */
function fenceOfImage({ id, images }: Job): number | null {
  const [image] = images;
  if (!image) return null;
  const [, fence] =
    new URL(image.url).pathname
      .split(`/${id}/`)
      .at(-1)
      ?.match(/^(\d+)\/\d+$/) ?? [];
  if (fence === undefined) throw new Error(`Cannot tell the attempt from the path of ${image.url}`);
  return Number(fence);
}

/** The attempt that was under way; 0 where none had begun. */
function fenceAt(attempts: readonly Attempt[], at: string): number {
  return Math.max(0, ...attempts.filter((attempt) => attempt.started_at <= at).map(({ number }) => number));
}

function costNano(model: string, usage: Usage): number {
  return costOf(sampleRegistry.choose(model).model, usage) ?? 0;
}

function usageOf({ input_tokens: input, output_tokens: output }: z.infer<typeof Tokens>): Usage {
  return {
    inputText: input.text,
    inputImage: input.image,
    outputText: output.text,
    outputImage: output.image,
    thinking: output.thinking,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
