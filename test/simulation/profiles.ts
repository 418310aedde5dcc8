import type { FaultKind, Profile } from "./profile.ts";

const noFaults: Profile["faults"] = {
  crash_before: 0,
  crash_after: 0,
  freeze_before: 0,
  freeze_after: 0,
  refused: 0,
  answer_lost: 0,
  late: 0,
  repeated: 0,
  slow: 0,
  conflict: 0,
};

const calm: Profile = {
  faults: noFaults,
  at: null,
  isExact: false,
  singleFault: 0,
  focused: 0,
  skewMs: 0,
  duplicates: 0,
  lostAnswers: 0,
  badTicks: 0,
  outages: 0,
  providerFailures: 0,
  slowPictures: 0.07,
  memoryBytes: [5_000_000, 13_000_000, 100_000_000],
  jobsPerTenant: [2, 4, 20],
  callsPerModel: [4, 8, 20],
  lateIndex: 0.03,
  shortDeadlines: 0.3,
  storms: 0,
  cancels: 0.2,
  deletions: 0.05,
  batchSize: [1, 5],
  maxConcurrency: [2, 5],
  crowd: 0,
  killers: 0,
  webhooks: 0.4,
  moody: 0.3,
  longDowntimes: 0,
};

/** Nothing in it but its sweep has to see to what is late: there is room for all, and time. */
const ample: Profile = {
  ...calm,
  jobsPerTenant: [100],
  callsPerModel: [100],
  lateIndex: 0,
  shortDeadlines: 0,
  deletions: 0,
};

const usual: Profile = {
  faults: {
    crash_before: 0.001,
    crash_after: 0.001,
    freeze_before: 0.001,
    freeze_after: 0.001,
    refused: 0.004,
    answer_lost: 0.003,
    late: 0.001,
    repeated: 0.004,
    slow: 0.01,
    conflict: 0.2,
  },
  at: null,
  isExact: false,
  singleFault: 0.25,
  focused: 0.15,
  skewMs: 2_000,
  duplicates: 0.05,
  lostAnswers: 0.01,
  badTicks: 0.05,
  outages: 0.1,
  providerFailures: 0.15,
  slowPictures: calm.slowPictures,
  memoryBytes: calm.memoryBytes,
  jobsPerTenant: calm.jobsPerTenant,
  callsPerModel: calm.callsPerModel,
  lateIndex: calm.lateIndex,
  shortDeadlines: calm.shortDeadlines,
  storms: 0.1,
  cancels: calm.cancels,
  deletions: calm.deletions,
  batchSize: calm.batchSize,
  maxConcurrency: calm.maxConcurrency,
  crowd: calm.crowd,
  killers: 0.01,
  webhooks: calm.webhooks,
  moody: calm.moody,
  longDowntimes: 0.003,
};

const rough: Profile = {
  faults: {
    crash_before: 0.003,
    crash_after: 0.003,
    freeze_before: 0.003,
    freeze_after: 0.003,
    refused: 0.02,
    answer_lost: 0.015,
    late: 0.005,
    repeated: 0.02,
    slow: 0.03,
    conflict: 0.5,
  },
  at: null,
  isExact: false,
  singleFault: 0.05,
  focused: 0.25,
  skewMs: 5_000,
  duplicates: 0.2,
  lostAnswers: 0.05,
  badTicks: 0.2,
  outages: 0.3,
  providerFailures: 0.4,
  slowPictures: calm.slowPictures,
  memoryBytes: calm.memoryBytes,
  jobsPerTenant: calm.jobsPerTenant,
  callsPerModel: calm.callsPerModel,
  lateIndex: calm.lateIndex,
  shortDeadlines: calm.shortDeadlines,
  storms: 0.3,
  cancels: calm.cancels,
  deletions: calm.deletions,
  batchSize: calm.batchSize,
  maxConcurrency: calm.maxConcurrency,
  crowd: calm.crowd,
  killers: 0.03,
  webhooks: calm.webhooks,
  moody: calm.moody,
  longDowntimes: 0.003,
};

/** One tenant has ten thousand jobs waiting, another a single one now and then. Nothing goes wrong. */
export const crowded: Profile = {
  ...calm,
  slowPictures: 0,
  memoryBytes: [100_000_000],
  batchSize: [5, 5],
  maxConcurrency: [4, 4],
  jobsPerTenant: [16],
  callsPerModel: [20],
  shortDeadlines: 0,
  cancels: 0,
  deletions: 0,
  crowd: 10_000,
  webhooks: 0,
};

/** Gemini fails at times, many jobs are canceled, and one fault hits one effect every other time. */
export function aimed(at: string, kind: FaultKind): Profile {
  const faults = { ...noFaults, [kind]: 0.5 };
  // A sweep that never gets beyond its first question, or dies of every other item that it looks at, can't be waited for
  const base = /^(jobs|deliveries)\.(due|load)$/.test(at) ? ample : calm;
  const ground = /^(deliver|endpoints)/.test(at) ? { ...base, webhooks: 1, moody: 0.5 } : base;
  return { ...ground, at: [at], isExact: true, faults, providerFailures: 0.3, cancels: 0.5, deletions: 0.2 };
}

export const profileNames = [
  "none",
  "default",
  "heavy",
  "provider",
  "echoes",
  "crashes",
  "answers",
  "zombies",
  "cramped",
  "stores",
  "ticks",
  "deaf",
  "dazed",
  "drowsy",
  "fickle",
  "haunted",
] as const;
export type ProfileName = (typeof profileNames)[number];

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  none: calm,
  default: usual,
  heavy: rough,
  /** Only Gemini fails. */
  provider: { ...ample, providerFailures: 0.3 },
  /** Gemini fails, and messages come twice. */
  echoes: { ...ample, providerFailures: 0.4, duplicates: 0.3 },
  /** Only workers die, in the middle of a call. */
  crashes: { ...ample, at: ["gemini.generate"], faults: { ...noFaults, crash_after: 0.05 } },
  /** Gemini fails, and the answers get lost to the writes that put a job back into the queue. */
  answers: {
    ...ample,
    at: ["jobs.write.queued"],
    faults: { ...noFaults, answer_lost: 0.3 },
    providerFailures: 0.3,
  },
  /** Gemini fails, and workers freeze: in the middle of a call, as they prove their lease, as they tell a bill. */
  zombies: {
    ...calm,
    at: ["gemini.generate", "jobs.settle", "jobs.write.running"],
    faults: { ...noFaults, freeze_before: 0.2, freeze_after: 0.2 },
    providerFailures: 0.3,
  },
  /** Pictures take their time, and workers have room for one at once. */
  cramped: { ...ample, slowPictures: 0.4, memoryBytes: [5_000_000] },
  /** Something happens whenever an object is stored. */
  stores: {
    ...calm,
    at: ["objects.put"],
    faults: { ...noFaults, crash_before: 0.05, crash_after: 0.05, freeze_before: 0.05, answer_lost: 0.1 },
  },
  /** Messages get lost, and the schedule is unruly. */
  ticks: { ...calm, at: ["queue.send"], faults: { ...noFaults, refused: 0.5 }, badTicks: 0.8 },
  /** A receiver of webhooks is down for six hours, and anything goes wrong. */
  deaf: { ...usual, webhooks: 1, longDowntimes: 1 },
  /** Functions freeze between a claim of a delivery and its request. */
  drowsy: {
    ...calm,
    at: ["deliveries.write.delivering"],
    isExact: true,
    faults: { ...noFaults, freeze_before: 0.1 },
    webhooks: 1,
  },
  /** Endpoints are disabled and enabled all the time, while functions freeze between a look at one and what follows of it. */
  fickle: {
    ...calm,
    at: ["deliveries.write.parked", "jobs.write.succeeded", "endpoints.write"],
    isExact: true,
    faults: { ...noFaults, freeze_before: 0.7, answer_lost: 0.1 },
    webhooks: 1,
    moody: 1,
  },
  /** A receiver is down for six hours, and functions freeze as they tell that they didn't get through to it. */
  dazed: { ...aimed("deliveries.write.pending", "freeze_before"), webhooks: 1, longDowntimes: 1 },
  /** Workers freeze as they store, their jobs are canceled and deleted meanwhile, and what a sweep erases is refused at times. */
  haunted: {
    ...calm,
    at: ["objects.put", "objects.remove"],
    isExact: true,
    faults: { ...noFaults, freeze_before: 0.3, refused: 0.2 },
    cancels: 1,
    deletions: 1,
  },
};
