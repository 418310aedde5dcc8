import { invalidArgument } from "./refusal.ts";

/** A fault asked for in a prompt: `[[sim:NAME]]`, `[[sim:NAME:argument]]`, `[[sim:NAME:argument*times]]`. */
type Marker = { name: string; argument: string | null; times: number | null };

const marker = /\[\[sim:([A-Z][A-Z0-9_]*)(?::([^\]*]*))?(?:\*(\d+))?\]\]/g;

/** The markers of a prompt, in order. A broken one is refused (400), so that no test passes by a slip of the pen. */
export function markersIn(prompt: string): readonly Marker[] {
  if (withoutMarkers(prompt).includes("[[sim:")) {
    throw invalidArgument(
      "Malformed simulator marker: write [[sim:NAME]], [[sim:NAME:argument]] or [[sim:NAME:argument*times]]",
    );
  }
  return [...prompt.matchAll(marker)].map(([, name = "", argument, times]) => ({
    name,
    argument: argument === undefined || argument === "" ? null : argument,
    times: times === undefined ? null : Number(times),
  }));
}

/** The prompt as the model sees it. */
export function withoutMarkers(prompt: string): string {
  return prompt.replace(marker, "").trim();
}

/**
 * The markers in force at the `call`-th call (from 1) of a prompt. Counted markers take turns: with `A*2` and `B*1` calls
 * 1 and 2 meet A, call 3 meets B, and later ones neither. Markers without a count are in force at every call.
 */
export function markersInForce(markers: readonly Marker[], call: number): readonly Marker[] {
  let before = 0;
  const counted: Marker[] = [];
  for (const each of markers) {
    if (each.times === null) continue;
    if (call > before && call <= before + each.times) counted.push(each);
    before += each.times;
  }
  return [...counted, ...markers.filter((each) => each.times === null)];
}
