import { promptOf } from "./conversation.ts";
import { examine, type ModelCall } from "./examine.ts";
import type { Delivery, Plan } from "./faults/fault.ts";
import type { Met } from "./faults/injector.ts";
import { pause, sampleLatency } from "./latency.ts";
import { closeRefused, describePrompt, type LedgerCall } from "./ledger.ts";
import { type PictureCall, pictureAnswer, pictureTokens } from "./picture-answer.ts";
import { type ErrorReply, errorReply, Refusal } from "./refusal.ts";
import { finishReasonOf, type GenerateReply } from "./reply.ts";
import { usualSignatureBytes } from "./signatures.ts";
import { type CostTokens, thinkingTokens } from "./usage.ts";
import type { World } from "./world.ts";

/** The answer, and what is to happen to it on the wire. */
export type Outcome = { result: Result; delivery: Delivery };
type Result = { kind: "reply"; reply: GenerateReply } | { kind: "error"; error: ErrorReply };

/** Answers one call as the model would, faults included, and closes its ledger entry. Never throws a Refusal. */
export async function generate(world: World, call: ModelCall): Promise<Outcome> {
  try {
    return await answer(world, call);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    closeRefused(call.entry, error.reply.status);
    return { result: { kind: "error", error: error.reply }, delivery: { kind: "whole" } };
  }
}

async function answer(world: World, call: ModelCall): Promise<Outcome> {
  const { entry } = call;
  const prompt = promptOf(call.request.contents ?? []);
  describePrompt(entry, prompt);
  const examined = await examine(world, call, prompt);
  world.quota.take(call.key, call.model, Date.now());
  const met = world.injector.meet(prompt, call.model);
  entry.fault = [met.ending, ...met.changes].flatMap((each) => each?.fault.name ?? []).join("+") || null;
  const level = examined.asked.thinking?.level;
  const thinking = level === undefined ? 0 : thinkingTokens(level, met.draw);
  const picture = { ...examined, scene: { ...examined.scene, thinking }, plan: plannedBy(met) };
  entry.startedAt = new Date().toISOString();
  if (!(await pause(latencyOf(world, met), world.stopping))) {
    throw new Refusal(errorReply(503, "UNAVAILABLE", "The service is currently unavailable."));
  }
  return await conclude(entry, met, picture);
}

/** Ends the call as its fault says, or with the picture, and writes down what that costs. */
async function conclude(entry: LedgerCall, met: Met, picture: PictureCall): Promise<Outcome> {
  const { ending } = met;
  const drip = dripOf(met);
  if (ending === null) {
    const reply = await draw(picture, entry, 200);
    return { result: { kind: "reply", reply }, delivery: drip };
  }
  const { fault, argument } = ending;
  const { effect } = fault;
  switch (effect.kind) {
    case "error": {
      const error = effect.error(picture.scene, argument);
      const images = fault.billed && picture.asked.image ? picture.plan.images : 0;
      close(entry, error.status, fault.billed ? { tokens: pictureTokens(picture), images } : {});
      return { result: { kind: "error", error }, delivery: drip };
    }
    case "imageless": {
      const { reply, tokens } = effect.answer(picture.scene, argument);
      close(entry, 200, fault.billed ? { tokens, reply } : { reply });
      return { result: { kind: "reply", reply }, delivery: drip };
    }
    case "delivery": {
      const delivery = effect.delivery(argument);
      if (fault.billed) {
        const reply = await draw(picture, entry, delivery.kind === "hang" ? null : 200);
        return { result: { kind: "reply", reply }, delivery };
      }
      const error =
        "error" in delivery
          ? delivery.error
          : errorReply(503, "UNAVAILABLE", "Connection reset by the simulator");
      close(entry, "error" in delivery ? error.status : null, {});
      return { result: { kind: "error", error }, delivery };
    }
    case "variant":
    case "latency":
      throw new Error(`Cannot end a call with the fault "${fault.name}": it only changes one`);
  }
}

async function draw(picture: PictureCall, entry: LedgerCall, status: number | null): Promise<GenerateReply> {
  const reply = await pictureAnswer(picture);
  const images = picture.asked.image ? picture.plan.images : 0;
  close(entry, status, { tokens: pictureTokens(picture), images, reply });
  return reply;
}

/** Closes a ledger entry; the call is billed when tokens are given. */
function close(
  entry: LedgerCall,
  status: number | null,
  { tokens, images = 0, reply }: { tokens?: CostTokens; images?: number; reply?: GenerateReply },
): void {
  entry.status = status;
  entry.finishedAt = new Date().toISOString();
  entry.images = images;
  if (reply !== undefined) {
    entry.finishReason = finishReasonOf(reply);
    entry.usage = reply.usageMetadata ?? null;
  }
  if (tokens !== undefined) {
    entry.billed = true;
    entry.costTokens = tokens;
  }
}

const usualPlan: Plan = {
  images: 1,
  thoughtImages: 0,
  wrongMime: false,
  wrongSize: false,
  signatureBytes: usualSignatureBytes,
};

function plannedBy(met: Met): Plan {
  return met.changes.reduce(
    (plan, { fault: { effect }, argument }) =>
      effect.kind === "variant" ? effect.change(plan, argument) : plan,
    usualPlan,
  );
}

/** What the model never sees is answered at once; SLOW delays even that. */
function latencyOf(world: World, met: Met): number {
  for (const { fault, argument } of met.changes) {
    if (fault.effect.kind === "latency") return fault.effect.ms(argument);
  }
  const sampled = sampleLatency(world.injector.latency() ?? world.latency, met.draw);
  const untouched =
    met.ending !== null && met.ending.fault.effect.kind !== "imageless" && !met.ending.fault.billed;
  return untouched ? 0 : sampled;
}

function dripOf(met: Met): Delivery {
  for (const { fault, argument } of met.changes) {
    if (fault.effect.kind === "delivery") return fault.effect.delivery(argument);
  }
  return { kind: "whole" };
}
