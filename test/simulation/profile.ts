/** What can go wrong with one effect of a process, between the process and the service that it calls. */
export const faultKinds = [
  /** The process dies before the effect. */
  "crash_before",
  /** The effect takes place, and the process dies before it hears of it. */
  "crash_after",
  /** No code runs for a while, then the effect takes place. */
  "freeze_before",
  /** The effect takes place, and the process hears of it when it thaws. */
  "freeze_after",
  /** The service refuses: a throttle, a transaction conflict, a 500. */
  "refused",
  /** The effect takes place, and the process is told that it failed. */
  "answer_lost",
  /** The process is told that it failed, and then the effect takes place. */
  "late",
  /** The SDK sends the request twice, and both arrive. */
  "repeated",
  /** It takes seconds. */
  "slow",
  /** Refused because of another write to the same item at the same time; drawn for such writes only. */
  "conflict",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** How rough a world is. Fault rates are per effect; each seed of a rough world turns each of them up, down or off. */
export type Profile = {
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** The only effects that faults hit, `null` for all. */
  readonly at: readonly string[] | null;
  /** Whether the rates are meant as they are. */
  readonly isExact: boolean;
  /** Share of seeds whose only fault hits one single effect, whichever it is. */
  readonly singleFault: number;
  /** Share of seeds in which one kind of fault hits one kind of effect again and again. */
  readonly focused: number;
  /** How far a clock may be off, either way. */
  readonly skewMs: number;
  /** Share of deliveries whose message stays visible, and of deletions that don't last. */
  readonly duplicates: number;
  /** Share of API answers that don't reach the client. */
  readonly lostAnswers: number;
  /** Share of schedule ticks that come twice, late, or not at all. */
  readonly badTicks: number;
  /** Share of seeds with a time in which a whole service fails, and with one job whose item fails. */
  readonly outages: number;
  /** Share of calls that Gemini does not answer with a picture. */
  readonly providerFailures: number;
  /** Share of pictures that take Gemini minutes. */
  readonly slowPictures: number;
  /** Bytes of memory that a worker has for pictures, one of these: room for about one, three or many of 1K at once. */
  readonly memoryBytes: readonly number[];
  /** Jobs of one tenant, and calls to one model, that may be in work: one of these. */
  readonly jobsPerTenant: readonly number[];
  readonly callsPerModel: readonly number[];
  /** Share of writes that an index shows only after seconds. */
  readonly lateIndex: number;
  /** Share of jobs whose deadline is some minutes off, or seconds. */
  readonly shortDeadlines: number;
  /** Share of seeds with a minute in which Gemini answers nothing but 429 and 503. */
  readonly storms: number;
  /** Share of jobs that are canceled. */
  readonly cancels: number;
  /** Share of jobs that are deleted once they are over. */
  readonly deletions: number;
  /** Messages that a worker takes at once, and workers: at least and at most. */
  readonly batchSize: readonly [number, number];
  readonly maxConcurrency: readonly [number, number];
  /** Jobs that one tenant submits in a rush, each with a day to be done in, while one other has a job now and then. */
  readonly crowd: number;
  /** Share of jobs that bring down whoever works on them. */
  readonly killers: number;
  /** Share of tenants with endpoints for webhooks, and of jobs with a URL of their own. */
  readonly webhooks: number;
  /** Share of endpoints that their owner disables and enables again, or not. */
  readonly moody: number;
  /** Share of seeds in which a receiver of webhooks is down for six hours, and things go on going wrong meanwhile. */
  readonly longDowntimes: number;
};
