import type { Attempt, Call } from "@plantain/core/job/attempt";

/** What a job's attempts have told of their calls so far, as `fence/index`. */
export type Bills = ReadonlyMap<string, Call>;

/** The bills as they stand now, and those that were known before and are not any more. */
export function untold(before: Bills, attempts: readonly Attempt[]): { bills: Bills; lost: string[] } {
  const bills: Bills = new Map<string, Call>(
    attempts.flatMap(({ fence, calls }) =>
      calls.map((call): [string, Call] => [`${fence}/${call.index}`, call]),
    ),
  );
  const lost = [...before].flatMap(([name, call]) => {
    if (call.billed === "unknown") return [];
    const now = bills.get(name);
    return now && now.billed === call.billed && now.cost === call.cost ? [] : [name];
  });
  return { bills, lost };
}
