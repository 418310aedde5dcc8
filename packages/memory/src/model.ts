import type { Answer, ImageModel, ModelCall } from "@plantain/core/job/ports";

type Step = Answer | ((call: ModelCall, signal: AbortSignal) => Promise<Answer>);

export type ScriptedModel = ImageModel & { readonly calls: readonly ModelCall[] };

/** A provider that answers as told, in order; the last step goes for all further calls. For tests. */
export function scriptedModel(...steps: readonly [Step, ...Step[]]): ScriptedModel {
  const calls: ModelCall[] = [];
  return {
    calls,
    async generate(call, signal) {
      calls.push(call);
      const step = steps[Math.min(calls.length, steps.length) - 1] ?? steps[0];
      signal.throwIfAborted();
      return typeof step === "function" ? step(call, signal) : step;
    },
  };
}

/** A call that never ends by itself, only with its signal. */
export function hanging(_call: ModelCall, signal: AbortSignal): Promise<Answer> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
