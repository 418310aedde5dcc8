import type { RetentionDays } from "aws-cdk-lib/aws-logs";

/** The clocks of the job protocol, in milliseconds. `test/infra/stage.test.ts` holds their inequalities. */
export type Protocol = {
  /** How long a claim lasts without a beat. */
  readonly leaseMs: number;
  /** How often a worker renews its leases. */
  readonly beatMs: number;
  /** How long a message stays invisible after a beat; outlives the lease, so a redelivery always finds it expired. */
  readonly beatVisibilityMs: number;
  /** Ceiling on one call to Gemini. */
  readonly callMs: number;
  /** What must be left of the function after a call, to store and commit. */
  readonly callMarginMs: number;
  /** How long a sent message may take to a worker before the sweep looks whether it was lost. */
  readonly arrivalMs: number;
};

/** Everything that differs between two stages; nothing else in `infra` asks which stage it is. */
export type Stage = {
  readonly name: string;
  readonly protocol: Protocol;
  readonly api: {
    readonly memoryMb: number;
    readonly timeoutSeconds: number;
    readonly requestsPerSecond: number;
    readonly burst: number;
  };
  readonly worker: {
    readonly memoryMb: number;
    readonly timeoutSeconds: number;
    /** Jobs one execution environment works on side by side. */
    readonly batchSize: number;
    /** Execution environments; times `batchSize` it is the ceiling on calls to Gemini in flight. */
    readonly maxConcurrency: number;
  };
  readonly deliver: {
    readonly memoryMb: number;
    readonly timeoutSeconds: number;
    /** Deliveries that one execution environment makes side by side. */
    readonly batchSize: number;
    /** Execution environments for endpoints that answer in time; times `batchSize`, so many may hang before others wait. */
    readonly maxConcurrency: number;
    /** The same for those that don't: they wait for each other, and nobody for them. */
    readonly slowMaxConcurrency: number;
  };
  readonly sweep: { readonly memoryMb: number; readonly timeoutSeconds: number };
  readonly defaultModel: string;
  readonly models: {
    /** Whether the old id of a model that Google shut down is served by its successor, or refused. */
    readonly retired: "serve" | "refuse";
    /**
     * Models to add to the built-in registry or to change there, as JSON; `docs/models.md` says how. Kept together
     * under 3 KB: it is part of the functions' environment, which AWS limits to 4 KB.
     */
    readonly overrides: readonly Readonly<Record<string, unknown>>[];
  };
  readonly capacity: {
    /** Jobs of one tenant in work at once. Below what all workers take on, so that others find room at once. */
    readonly jobsPerTenant: number;
    /**
     * Calls to one model under one Gemini key in flight at most; fewer while Gemini is slow or refuses. Some 300 for all keys
     * together is what one item of DynamoDB bears (docs/decisions/2026-11-27-pools-of-leased-slots.md).
     */
    readonly callsPerModel: number;
    /** A model that refuses everybody is asked again at least this often, in milliseconds. */
    readonly longestClosureMs: number;
  };
  /** Names of the SSM SecureStrings with the Gemini keys, which share the load. CloudFormation can't create those. */
  readonly geminiApiKeyParameters: readonly [string, ...string[]];
  /** How long the images of a job and what is kept about them live. */
  readonly imageRetentionDays: number;
  readonly logRetentionDays: RetentionDays;
  /** Web origins whose pages may upload to and read from the bucket with signed URLs. */
  readonly corsOrigins: readonly string[];
  /** Addresses that alarms are mailed to; each must confirm its subscription once. */
  readonly alarmEmails: readonly string[];
  /** Whether tables and images outlive the stack and resist deletion. */
  readonly keepData: boolean;
};

const dev: Stage = {
  name: "dev",
  protocol: {
    leaseMs: 60_000,
    beatMs: 20_000,
    beatVisibilityMs: 75_000,
    callMs: 240_000,
    callMarginMs: 30_000,
    arrivalMs: 60_000,
  },
  api: { memoryMb: 1024, timeoutSeconds: 29, requestsPerSecond: 50, burst: 100 },
  // 4 workers, and 4 of `deliver` for the moments in which it runs, leave room for the API within the 10 concurrent
  // executions of a new AWS account. SQS takes no maximum below 2.
  worker: { memoryMb: 1024, timeoutSeconds: 330, batchSize: 5, maxConcurrency: 4 },
  deliver: { memoryMb: 512, timeoutSeconds: 60, batchSize: 10, maxConcurrency: 2, slowMaxConcurrency: 2 },
  sweep: { memoryMb: 512, timeoutSeconds: 55 },
  defaultModel: "gemini-nano-banana-2.1",
  models: { retired: "serve", overrides: [] },
  capacity: { jobsPerTenant: 16, callsPerModel: 20, longestClosureMs: 900_000 },
  geminiApiKeyParameters: ["/plantain/dev/gemini-api-key"],
  imageRetentionDays: 7,
  logRetentionDays: 14,
  corsOrigins: ["http://localhost:3000"],
  alarmEmails: [],
  keepData: false,
};

const prod: Stage = {
  ...dev,
  name: "prod",
  api: { ...dev.api, requestsPerSecond: 500, burst: 1000 },
  worker: { ...dev.worker, maxConcurrency: 100 },
  deliver: { ...dev.deliver, maxConcurrency: 20, slowMaxConcurrency: 10 },
  capacity: { ...dev.capacity, jobsPerTenant: 200, callsPerModel: 250 },
  geminiApiKeyParameters: ["/plantain/prod/gemini-api-key"],
  imageRetentionDays: 30,
  logRetentionDays: 90,
  corsOrigins: [],
  keepData: true,
};

const local: Stage = {
  ...dev,
  name: "local",
  // Messages are in memory there, so after a restart all are lost, and nobody wants to wait a minute for the sweep.
  protocol: { ...dev.protocol, arrivalMs: 5_000 },
  // Two threads on two cores: a fuller batch makes up for them.
  worker: { ...dev.worker, batchSize: 10, maxConcurrency: 2 },
  deliver: { ...dev.deliver, maxConcurrency: 3 },
  // Whoever tries out what a closed gate does doesn't want to wait a quarter of an hour
  capacity: { ...dev.capacity, longestClosureMs: 60_000 },
  geminiApiKeyParameters: ["/plantain/local/gemini-api-key"],
};

const test: Stage = {
  ...local,
  name: "test",
  protocol: {
    leaseMs: 3_000,
    beatMs: 1_000,
    beatVisibilityMs: 5_000,
    callMs: 8_000,
    callMarginMs: 2_000,
    arrivalMs: 3_000,
  },
  worker: { ...local.worker, timeoutSeconds: 20 },
  // More than the 20 that the workers take on, since a killed one's places stay taken for seconds; not many more, or
  // those let in wait in the queue for longer than their places are kept
  capacity: { ...local.capacity, callsPerModel: 30, longestClosureMs: 1_000 },
  geminiApiKeyParameters: ["/plantain/test/gemini-api-key"],
};

/** `dev` and `prod` are deployed; `local` and `test` are synthesized for one machine only. */
export const stages: readonly Stage[] = [dev, prod, local, test];

/** The stage of that name. Throws, listing the stages there are, when there is none. */
export function stageNamed(name: string): Stage {
  const stage = stages.find((each) => each.name === name);
  if (stage === undefined) {
    const names = stages.map((each) => each.name).join(", ");
    throw new Error(`Cannot use stage "${name}": choose one of ${names}, or add it to infra/stage.ts`);
  }
  return stage;
}
