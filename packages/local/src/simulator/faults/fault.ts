import { type ErrorReply, invalidArgument } from "../refusal.ts";
import type { GenerateReply } from "../reply.ts";
import type { CostTokens } from "../usage.ts";

/** What a fault may know of the call it strikes. */
export type Scene = {
  model: string;
  version: string;
  prompt: string;
  input: Pick<CostTokens, "inputText" | "inputImage">;
  thinking: number;
  responseId: string;
};

/** How the images of an answer are made. */
export type Plan = {
  images: number;
  thoughtImages: number;
  wrongMime: boolean;
  wrongSize: boolean;
  /** 0: no signature. */
  signatureBytes: number;
};

/** How the finished answer goes over the wire. */
export type Delivery =
  | { kind: "whole" }
  | { kind: "drip"; ms: number }
  | { kind: "hang"; ms: number }
  | { kind: "reset" }
  | { kind: "reset-midway" }
  | { kind: "cut" }
  | { kind: "error-cut"; error: ErrorReply }
  | { kind: "error-midway"; error: ErrorReply };

/** What a fault does: each kind strikes at another point of a call. */
type Effect =
  | { kind: "error"; error: (scene: Scene, argument: string | null) => ErrorReply }
  | {
      kind: "imageless";
      answer: (scene: Scene, argument: string | null) => { reply: GenerateReply; tokens: CostTokens };
    }
  | { kind: "variant"; change: (plan: Plan, argument: string | null) => Plan }
  | { kind: "latency"; ms: (argument: string | null) => number }
  | { kind: "delivery"; delivery: (argument: string | null) => Delivery };

/** One row of the fault table. `billed` is whether Google would charge for a call that ends so. */
export type Fault = { name: string; what: string; argument?: string; billed: boolean; effect: Effect };

/** A fault's argument as a whole number. */
export function wholeNumber(argument: string | null, fallback: number): number {
  if (argument === null) return fallback;
  if (!/^\d{1,9}$/.test(argument)) {
    throw invalidArgument(`Cannot read the simulator fault's argument "${argument}": write a whole number`);
  }
  return Number(argument);
}
