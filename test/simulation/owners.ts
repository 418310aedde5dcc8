import { type ChangePorts, changeEndpoint } from "@plantain/core/webhook/change-endpoint";
import type { Endpoint } from "@plantain/core/webhook/endpoint";
import { type Api, NoAnswer } from "./api.ts";
import type { Dice } from "./dice.ts";
import type { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

type Surroundings = {
  timeline: Timeline;
  trace: Trace;
  dice: Dice;
  api: Api;
  equip: (process: Process) => ChangePorts;
};

/** Within this time endpoints are disabled: that of most jobs. */
const moodsMs = 300_000;
/** What a request has for what is parked. */
const resumeMs = 15_000;

/** Owners who disable endpoints and enable them again, each until he is answered and all that was parked is on its way. */
export function owners(
  { timeline, trace, dice, api, equip }: Surroundings,
  moody: number,
  registered: readonly Endpoint[],
): { readonly busy: number } {
  let busy = 0;
  const pause = (ms: number) => new Promise<void>((resolve) => timeline.after(ms, resolve));

  async function turn({ tenant, id }: Endpoint, enabled: boolean): Promise<void> {
    for (let isDone = false; !isDone; ) {
      try {
        const { resumed } = await api.request((process) => {
          const until = process.clock.now() + resumeMs;
          const leftMs = () => until - process.clock.now();
          return changeEndpoint(equip(process), tenant, id, { enabled }, leftMs);
        });
        isDone = resumed?.isComplete ?? true;
      } catch (error) {
        trace.note(tenant, error instanceof NoAnswer ? "gets no answer" : "is answered with an error");
      }
      if (!isDone) await pause(dice.between(500, 5_000));
    }
    trace.note(tenant, `${enabled ? "enabled" : "disabled"} ${id}`);
  }

  async function live(endpoint: Endpoint): Promise<void> {
    await pause(dice.between(0, moodsMs));
    for (let moods = dice.whole(1, 3); moods > 0; moods -= 1) {
      await turn(endpoint, false);
      await pause(dice.between(0, 60_000));
      if (moods === 1 && dice.chance(0.3)) return;
      await turn(endpoint, true);
      await pause(dice.between(0, 60_000));
    }
  }

  for (const endpoint of registered.filter(() => dice.chance(moody))) {
    busy += 1;
    void live(endpoint).then(() => {
      busy -= 1;
    });
  }
  return {
    get busy() {
      return busy;
    },
  };
}
