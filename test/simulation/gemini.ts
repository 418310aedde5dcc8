import { sha256Hex } from "@plantain/core/hash";
import type { Answer, ImageModel } from "@plantain/core/job/ports";
import { costOf } from "@plantain/core/model/pricing";
import { sampleRegistry } from "@plantain/memory/samples";
import type { Run } from "./caller.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import { planAnswer } from "./gemini-answers.ts";
import type { Network } from "./network.ts";
import type { Profile } from "./profile.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";
import type { Entry } from "./witness/ledger.ts";

/** The provider, with the ledger that its invoice is made of. */
export type Gemini = {
  readonly serve: (run: Run) => ImageModel;
  readonly ledger: Entry[];
  /** Until when it answers nothing but 429 and 503, and from when. */
  storm: { readonly from: number; readonly until: number } | null;
};

/** Share of pictures that are finished and billed though the client has left. */
const workedOn = 0.7;

export function gemini(
  { timeline, trace, dice, faults, network }: Surroundings,
  profile: Profile,
  onCall: (entry: Entry) => void,
): Gemini {
  const ledger: Entry[] = [];

  const self: Gemini = {
    ledger,
    storm: null,
    serve: (run) => ({
      generate(call, signal) {
        signal.throwIfAborted();
        const { process, jobId } = run;
        const number = ledger.length + 1;
        const isStormy =
          self.storm !== null && self.storm.from <= timeline.now && timeline.now < self.storm.until;
        const plan = planAnswer(dice, profile, { number, prompt: call.prompt, isStormy });
        const isLeft = { yet: false };
        const entry: Entry = {
          number,
          run,
          jobId,
          fence: run.fence,
          index: run.rechecked?.paying[run.called] ?? run.called,
          since: run.rechecked?.at ?? timeline.now,
          startedAt: timeline.now,
          billed: false,
          cost: costOf(sampleRegistry.choose(call.model).model, plan.usage) ?? 0,
          heard: null,
          sent: call.images.map(({ bytes }) => sha256Hex(bytes)),
          sha256: plan.answer.type === "image" ? plan.answer.image.sha256 : null,
          storedAt: null,
          endedAt: null,
        };
        run.called += 1;
        ledger.push(entry);
        onCall(entry);

        const fault = faults.next(
          { label: "gemini.generate", subject: jobId, isContended: false },
          timeline.now,
        );
        trace.note(process.name, `gemini.generate ${jobId} #${number}${fault ? ` !${fault}` : ""}`);
        const takesMs = fault === "slow" ? plan.takesMs + dice.between(30_000, 200_000) : plan.takesMs;
        const inTheMiddle = dice.between(0, takesMs);

        return new Promise<Answer>((resolve, reject) => {
          signal.addEventListener(
            "abort",
            () => {
              isLeft.yet = true;
              entry.endedAt ??= timeline.now;
              entry.heard ??= whyLeft(signal.reason);
              trace.note(process.name, `is done with #${number}: ${entry.heard}`);
              reject(signal.reason);
            },
            { once: true },
          );
          const answer = (told: Answer) =>
            process.resume(() => {
              entry.endedAt ??= timeline.now;
              entry.heard ??= told.type === "image" ? "image" : told.failure.code;
              resolve(told);
            });
          const work = () =>
            timeline.after(network.hop() + takesMs, () => {
              const isAlone = isLeft.yet || !process.isAlive;
              entry.billed = plan.billed && (!isAlone || dice.chance(workedOn));
              trace.note("gemini", `ends #${number}${entry.billed ? ", billed" : ""}`);
              const isCut = fault === "answer_lost" || fault === "late";
              timeline.after(network.hop(), () => answer(isCut ? connectionBroke : plan.answer));
            });

          switch (fault) {
            case "crash_before":
              process.kill("crash");
              return;
            case "refused":
              timeline.after(network.hop(), () => answer(unreachable));
              return;
            case "freeze_before":
              process.freeze(network.freezeMs());
              process.resume(work);
              return;
            case "crash_after":
              timeline.after(inTheMiddle, () => process.kill("crash"));
              break;
            case "freeze_after":
              timeline.after(inTheMiddle, () => process.freeze(network.freezeMs()));
              break;
            default:
              if (call.prompt.startsWith("killer")) timeline.after(inTheMiddle, () => process.kill("crash"));
          }
          work();
        });
      },
    }),
  };
  return self;
}

type Surroundings = { timeline: Timeline; trace: Trace; dice: Dice; faults: Faults; network: Network };

/** A worker leaves a call when its own time limit is over, or for a reason that it gives. */
function whyLeft(reason: unknown): Entry["heard"] {
  if (reason instanceof Error && reason.name === "LeaseLost") return "lease_lost";
  return reason instanceof Error && reason.name === "AbortError" ? "timeout" : "given_up";
}

const connectionBroke: Answer = {
  type: "failure",
  failure: { code: "upstream_error", message: "The connection to Gemini broke", billed: "unknown" },
  usage: null,
};

const unreachable: Answer = {
  type: "failure",
  failure: { code: "upstream_error", message: "Cannot connect to Gemini", billed: "no" },
  usage: null,
};
