import type { Dice } from "./dice.ts";
import type { Lambda } from "./lambda.ts";
import type { Process } from "./process.ts";
import type { Timeline } from "./timeline.ts";

/** What a client sees when no answer comes, or a 5xx: the request may or may not have done its work. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/** The HTTP front as a client has it: a request runs in some environment, and its answer may get lost. */
export type Api = { request<T>(work: (process: Process) => Promise<T>): Promise<T> };

export function api(
  { timeline, dice }: { timeline: Timeline; dice: Dice },
  lambda: Lambda,
  lostAnswers: number,
): Api {
  return {
    request: (work) =>
      new Promise((resolve, reject) => {
        let settle = () => reject(new NoAnswer("The API did not answer"));
        lambda.invoke(
          async (process) => {
            try {
              const answer = await work(process);
              settle = () => resolve(answer);
            } catch (error) {
              settle = () => reject(error);
            }
          },
          (ended) => {
            const isLost = ended !== "returned" || dice.chance(lostAnswers);
            timeline.after(dice.between(5, 100), () => {
              if (isLost) reject(new NoAnswer("The API did not answer"));
              else settle();
            });
          },
        );
      }),
  };
}
