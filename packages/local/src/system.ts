import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { dynamoEndpoints } from "@plantain/aws/dynamo-endpoints";
import { dynamoKeys } from "@plantain/aws/dynamo-keys";
import { apiKeyIn } from "./api-key.ts";
import { type Access, account, credentialsFor, foreignEndpoints, region } from "./aws/access.ts";
import { createQueues } from "./aws/queues.ts";
import { createTables } from "./aws/tables.ts";
import { openDataFolder } from "./data-folder.ts";
import { startFleet } from "./fleet.ts";
import { startGemini } from "./gemini.ts";
import { answerDevRoute } from "./http/dev-routes.ts";
import { startFront } from "./http/front.ts";
import { webhookInbox } from "./http/webhook-inbox.ts";
import type { PoolStatus } from "./lambda/pool.ts";
import type { Print } from "./print.ts";
import { dynamodbServer, s3Server, sqsServer, ssmServer } from "./servers.ts";
import { synthesize } from "./synthesis.ts";
import { type Plan, readPlan } from "./template/plan.ts";

export type SystemOptions = {
  /** Port of the HTTP front; 0 takes any free one. */
  readonly port: number;
  /** Folder that keeps tables, images and the API key; without it they end with the system. */
  readonly data?: string | undefined;
  /** `test` has short timings. */
  readonly stage: "local" | "test";
  /** How often minutely schedules run; without it every minute, in stage `test` every 2 s. */
  readonly sweepSeconds?: number | undefined;
  /** How long the simulator takes for an image; without it hardly any time. */
  readonly latencyMs?: number | undefined;
  /** Lets URLs of webhooks and images name loopback addresses. Default: no. */
  readonly allowLoopbackWebhooks?: boolean | undefined;
  /** Folder of a cloud assembly to run; without it the functions are built and the app is synthesized. */
  readonly assembly?: string | undefined;
  /** Where GEMINI_API_KEY, GOOGLE_GEMINI_BASE_URL, AWS_ENDPOINT_URL_* and credentials for those are looked up. */
  readonly environment: NodeJS.ProcessEnv;
  readonly print: Print;
  /** Gives up the start. */
  readonly signal?: AbortSignal | undefined;
};

/** A running system. */
export type System = {
  readonly url: string;
  readonly apiKey: string;
  /** `url` is null where Google's own address is used. */
  readonly gemini: { readonly mode: "real" | "simulator"; readonly url: string | null };
  readonly aws: { readonly dynamodb: string; readonly sqs: string; readonly s3: string };
  functions(): PoolStatus[];
  /** Ends one thread of a function in the middle of its work, as a crash would. False when none is at work or the name is unknown. */
  killFunction(name: string): Promise<boolean>;
  /** Takes no new work, ends everything and removes what is temporary. */
  stop(): Promise<void>;
};

type Stoppable = { stop(): Promise<void> };

/**
 * Runs the whole system on this machine: builds it unless `assembly` is given, starts what stands in for AWS and
 * Gemini, creates the template's resources and runs its functions.
 * Throws, with everything ended again, when any of that fails: the message says what to do.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const { environment, print, signal } = options;
  signal?.throwIfAborted();
  await using starting = new AsyncDisposableStack();
  const own = async <T extends Stoppable>(start: Promise<T>): Promise<T> => {
    const started = await start;
    starting.defer(() => started.stop());
    return started;
  };

  // What is wrong with the call shows before the slow work.
  const front = await own(startFront(options.port, print));
  const data = openDataFolder(options.data);
  starting.defer(() => data.release());

  const foreign = foreignEndpoints(environment);
  const access: Access = { region, credentials: credentialsFor(foreign, environment) };
  const assembly = options.assembly ?? data.assembly;
  const [dynamodb, sqs, gemini] = await allOrNothing([
    own(dynamodbServer(foreign, options.data === undefined ? undefined : data.tables)),
    own(sqsServer(foreign)),
    own(startGemini(environment, options.latencyMs, print)),
    options.assembly === undefined ? synthesize(options.stage, assembly, signal) : undefined,
  ]);
  signal?.throwIfAborted();

  const plan = readPlan(assembly, { region, account, sqs: sqs.url, front: front.url });
  const [s3, ssm] = await allOrNothing([
    own(s3Server(foreign, access, plan, data.images)),
    own(ssmServer(plan, gemini.apiKey)),
    createTables(dynamodb.url, access, plan.tables),
    createQueues(sqs.url, access, plan.queues),
  ]);
  signal?.throwIfAborted();

  const [fleet, apiKey] = await allOrNothing([
    own(
      startFleet(
        plan,
        access,
        {
          AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
          AWS_ENDPOINT_URL_SQS: sqs.url,
          AWS_ENDPOINT_URL_S3: s3.url,
          AWS_ENDPOINT_URL_SSM: ssm.url,
          GOOGLE_GEMINI_BASE_URL: gemini.url,
          ALLOW_LOOPBACK_WEBHOOKS: options.allowLoopbackWebhooks ? "true" : undefined,
        },
        print,
      ),
    ),
    issueApiKey(plan, dynamodb.url, access, data.apiKey),
  ]);
  signal?.throwIfAborted();

  const store = new DynamoDBClient({ endpoint: dynamodb.url, ...access });
  starting.defer(async () => store.destroy());
  const tenants = tenantsTable(plan);
  // It reads secrets and writes nothing, so that the other table isn't needed
  const inbox = webhookInbox(dynamoEndpoints(DynamoDBDocumentClient.from(store), tenants, tenants));

  fleet.drive(options.sweepSeconds ?? (options.stage === "test" ? 2 : undefined));
  front.open({
    accountId: account,
    apiId: plan.httpApi.apiId,
    pool: fleet.api,
    timeoutMs: plan.httpApi.timeoutMs,
    intercept: (request, body) => answerDevRoute(request, body, fleet.pools, inbox),
  });
  const running = starting.move();
  return {
    url: front.url,
    apiKey,
    gemini: { mode: gemini.mode, url: gemini.url ?? null },
    aws: { dynamodb: dynamodb.url, sqs: sqs.url, s3: s3.url },
    functions: () => fleet.pools.map((pool) => pool.status()),
    killFunction: async (name) => (await fleet.pools.find((pool) => pool.name === name)?.kill()) ?? false,
    stop: () => running.disposeAsync(),
  };
}

/** Like Promise.all, but leaves nothing under way when it throws: what started late could not be ended any more. */
async function allOrNothing<T extends readonly unknown[]>(
  steps: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(steps);
  return Promise.all(steps);
}

/** Stores the key where the API function looks keys up. */
async function issueApiKey(plan: Plan, endpoint: string, access: Access, file: string): Promise<string> {
  const table = tenantsTable(plan);
  const client = new DynamoDBClient({ endpoint, ...access });
  try {
    return await apiKeyIn(file, dynamoKeys(DynamoDBDocumentClient.from(client), table), Date.now());
  } finally {
    client.destroy();
  }
}

function tenantsTable({ httpApi }: Plan): string {
  const table = httpApi.function.environment.TENANTS_TABLE;
  if (table !== undefined) return table;
  throw new Error(
    'Cannot issue an API key: the API function has no variable "TENANTS_TABLE"; set it in infra',
  );
}
