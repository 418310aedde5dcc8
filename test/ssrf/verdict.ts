import * as z from "zod";
import { type Case, evil, good } from "./cases.ts";

/** What came of one case. */
export type Result = {
  readonly outcomes: readonly string[];
  /** Where connections, and whole requests, came that mustn't, as `127.0.0.1:443`. */
  readonly connections: readonly string[];
  readonly requests: readonly string[];
};

export type Verdict = {
  /** Every case with what came of it; in the order of the table. */
  readonly judged: readonly { readonly case: Case; readonly result: Result; readonly isRight: boolean }[];
  /** How many cases had a request, at least a connection, or just another outcome that they mustn't. */
  readonly requests: number;
  readonly connections: number;
  readonly outcomes: number;
};

const Results = z.array(
  z.object({
    outcomes: z.array(z.string()),
    connections: z.array(z.string()),
    requests: z.array(z.string()),
  }),
);

/** Holds what `run.ts` printed against the table. */
export function verdictOf(printed: string): Verdict {
  const results = Results.parse(JSON.parse(printed));
  const judged = [...evil, ...good].map((each, index) => {
    const result = results[index];
    if (!result) throw new Error(`Cannot judge "${each.url}": it didn't run`);
    const isExpected = result.outcomes.join() === each.outcomes.join();
    // A deceived client has dialled already when it finds out; it has yet to say something.
    const reached = each.client === "deceived" ? result.requests : result.connections;
    return { case: each, result, isRight: isExpected && reached.length === 0, isExpected };
  });
  const count = (is: (each: (typeof judged)[number]) => boolean) => judged.filter(is).length;
  return {
    judged,
    requests: count(({ result }) => result.requests.length > 0),
    connections: count(
      ({ case: { client }, result }) => client !== "deceived" && result.connections.length > 0,
    ),
    outcomes: count(({ isExpected }) => !isExpected),
  };
}
