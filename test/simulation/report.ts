import { percentile, type Tally } from "./seeds.ts";

const shown = 10;

/** What was run. */
export type About = {
  readonly from: number;
  readonly profile: string;
  readonly fault?: string | undefined;
  readonly at?: string | undefined;
  readonly mutant?: string | undefined;
};

/** A tally for people, with the command that replays each seed that broke a promise. */
export function report(tally: Tally, about: About, wallMs: number): string {
  const whole = (value: number) => Math.round(value).toLocaleString("en");
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const { failing, toTheEnd, injected } = tally;
  const faults = [...injected.values()].reduce((sum, times) => sum + times, 0);
  const lines = [
    ["seeds", `${whole(tally.seeds)}, from ${about.from}${optionsOf(about)}`],
    ["events", whole(tally.events)],
    ["virtual time", `${whole(tally.virtualMs / 3_600_000)} h`],
    ["jobs", `${whole(tally.jobs)}, of which ${whole(tally.succeeded)} succeeded`],
    ["calls", `${whole(tally.calls)}, of which ${whole(tally.billed)} were billed`],
    ["faults", `${whole(faults)} injected, of ${injected.size} kinds and places`],
    [
      "to the end",
      `p50 ${seconds(percentile(toTheEnd, 0.5))}, p99 ${seconds(percentile(toTheEnd, 0.99))}, longest ${seconds(percentile(toTheEnd, 1))}`,
    ],
    ["wall time", seconds(wallMs)],
    ["violations", `in ${whole(failing.length)} seeds`],
  ];
  return [
    ...lines.map(([name = "", value = ""]) => `${name.padEnd(14)}${value}`),
    ...failing
      .slice(0, shown)
      .flatMap(({ seed, violations }) => [
        "",
        ...violations.slice(0, 3).map(({ invariant, text }) => `seed ${seed}: ${invariant}: ${text}`),
        `  ${replay(seed, about)}`,
      ]),
  ].join("\n");
}

/** The one command that shows a seed again, step by step. */
export function replay(seed: number, about: Omit<About, "from">): string {
  return `npm run simulate -- --seeds 1 --from ${seed}${optionsOf(about)} --trace`;
}

function optionsOf({ profile, fault, at, mutant }: Omit<About, "from">): string {
  const named = { profile: profile === "default" ? undefined : profile, fault, at, mutant };
  return Object.entries(named)
    .map(([name, value]) => (value === undefined ? "" : ` --${name} ${value}`))
    .join("");
}
