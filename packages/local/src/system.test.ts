import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { type System, type SystemOptions, startSystem } from "./system.ts";
import { type FixtureResource, httpApi, lambda, writeAssembly } from "./template/assembly.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "plantain-system-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Calls a JSON service of AWS; the embedded ones used here do not check signatures. */
const aws = `
const aws = async (service, version, target, input) => {
  const response = await fetch(process.env["AWS_ENDPOINT_URL_" + service], {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-" + version,
      "x-amz-target": target,
      "x-amz-date": "20260101T000000Z",
      authorization: "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=0",
    },
    body: JSON.stringify(input),
  });
  if (!response.ok) throw new Error(target + " " + (await response.text()));
  return response.json();
};
const item = (input) => aws("DYNAMODB", "1.0", "DynamoDB_20120810." + input.do, { TableName: process.env.TENANTS_TABLE, ...input.with });
`;
const handlers = {
  // POST sends the path to the queue, GET reads what the worker stored for it, GET /env shows the environment.
  a1: `${aws}
export const handler = async ({ rawPath, requestContext }) => {
  if (rawPath === "/env") return { statusCode: 200, body: JSON.stringify(process.env) };
  if (requestContext.http.method === "POST") {
    await aws("SQS", "1.0", "AmazonSQS.SendMessage", { QueueUrl: process.env.QUEUE_URL, MessageBody: rawPath });
    return { statusCode: 202 };
  }
  const { Item } = await item({ do: "GetItem", with: { Key: { pk: { S: rawPath }, sk: { S: "x" } } } });
  return Item ? { statusCode: 200, body: Item.value.S } : { statusCode: 404 };
};`,
  b2: `${aws}
const put = (pk, value) => item({ do: "PutItem", with: { Item: { pk: { S: pk }, sk: { S: "x" }, value: { S: value } } } });
export const handler = async ({ Records, source }) => {
  if (source === "aws.scheduler") return put("/swept", "yes");
  for (const { body } of Records) {
    if (body === "/spin") for (;;);
    const { Parameter } = await aws("SSM", "1.1", "AmazonSSM.GetParameter", { Name: process.env.GEMINI_API_KEY_PARAMETERS, WithDecryption: true });
    await put(body, Parameter.Value);
  }
};`,
};

const variables = { QUEUE_URL: { Ref: "Queue" }, TENANTS_TABLE: { Ref: "Tenants" } };
const workerVariables = { ...variables, GEMINI_API_KEY_PARAMETERS: "/fixture/key" };
const resources: Record<string, FixtureResource> = {
  Role: { Type: "AWS::IAM::Role" },
  Tenants: {
    Type: "AWS::DynamoDB::GlobalTable",
    Properties: {
      AttributeDefinitions: ["pk", "sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      Replicas: [],
    },
  },
  Images: { Type: "AWS::S3::Bucket" },
  Queue: { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeout: 30 } },
  ApiFunction6BF808ED: lambda("a1", { Timeout: 5, Environment: { Variables: variables } }),
  WorkerFunctionAF8A26AF: lambda("b2", { Timeout: 20, Environment: { Variables: workerVariables } }),
  SweepFunctionA7728703: lambda("b2", { Timeout: 5, Environment: { Variables: workerVariables } }),
  Mapping: {
    Type: "AWS::Lambda::EventSourceMapping",
    Properties: {
      EventSourceArn: { "Fn::GetAtt": ["Queue", "Arn"] },
      FunctionName: { Ref: "WorkerFunctionAF8A26AF" },
      ScalingConfig: { MaximumConcurrency: 2 },
    },
  },
  Schedule: {
    Type: "AWS::Scheduler::Schedule",
    Properties: {
      ScheduleExpression: "rate(1 minute)",
      Target: {
        Arn: { "Fn::GetAtt": ["SweepFunctionA7728703", "Arn"] },
        RoleArn: { "Fn::GetAtt": ["Role", "Arn"] },
      },
    },
  },
  ...httpApi("ApiFunction6BF808ED"),
};
const assembly = writeAssembly({ Fixture: { resources, handlers } });

async function start(options: Partial<SystemOptions> = {}): Promise<System> {
  const system = await startSystem({
    port: 0,
    stage: "test",
    assembly,
    environment: { GEMINI_API_KEY: "real-key", SECRET_OF_THE_USER: "must not leak" },
    print: () => undefined,
    ...options,
  });
  onTestFinished(() => system.stop());
  return system;
}

/** Where temporary folders go during this test, so that those of others are not counted. */
function temporaryFolder(): string {
  const temporary = mkdtempSync(join(folder, "tmp-"));
  vi.stubEnv("TMPDIR", temporary);
  onTestFinished(() => void vi.unstubAllEnvs());
  return temporary;
}

const read = async ({ url }: System, path: string) => (await fetch(url + path)).text();

describe("a running system", () => {
  test("answers requests, works queues off and ticks, with the template's tables and keys", async () => {
    const system = await start();
    expect((await fetch(`${system.url}/job`, { method: "POST" })).status).toBe(202);
    await expect.poll(() => read(system, "/job")).toBe("real-key");
    await expect.poll(() => read(system, "/swept")).toBe("yes");
    expect(system.apiKey).toMatch(/^plk_/);
    expect(system.gemini).toEqual({ mode: "real", url: null });
    const s3 = new S3Client({
      endpoint: system.aws.s3,
      region: "us-east-1",
      credentials: { accessKeyId: "local", secretAccessKey: "local-secret" },
    });
    await s3.send(new HeadBucketCommand({ Bucket: "fixture-images" }));
    s3.destroy();
  });

  test("gives each function an environment of its own", async () => {
    const system = await start();
    const environment: unknown = JSON.parse(await read(system, "/env"));
    expect(environment).toMatchObject({
      AWS_LAMBDA_FUNCTION_NAME: "Fixture-ApiFunction6BF808ED",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "local",
      AWS_ENDPOINT_URL_DYNAMODB: system.aws.dynamodb,
      AWS_ENDPOINT_URL_SQS: system.aws.sqs,
      AWS_ENDPOINT_URL_S3: system.aws.s3,
    });
    for (const absent of ["SECRET_OF_THE_USER", "GEMINI_API_KEY", "GEMINI_API_KEY_PARAMETERS", "PATH"]) {
      expect(environment).not.toHaveProperty(absent);
    }
  });

  test("lets a test kill a busy thread", async () => {
    const system = await start();
    await fetch(`${system.url}/spin`, { method: "POST" });
    await expect.poll(() => system.killFunction("worker")).toBe(true);
    expect(await system.killFunction("worker")).toBe(false);
    expect(await system.killFunction("nobody")).toBe(false);
  });

  test("leaves nothing behind when it is stopped", async () => {
    const temporary = temporaryFolder();
    const system = await start();
    expect(readdirSync(temporary)).toHaveLength(1);
    await system.stop();
    expect(readdirSync(temporary)).toEqual([]);
    for (const url of [system.url, ...Object.values(system.aws)]) await expect(fetch(url)).rejects.toThrow();
  });
});

describe("a data folder", () => {
  test("keeps tables and the API key over a restart", async () => {
    const data = join(folder, "kept");
    const first = await start({ data });
    await fetch(`${first.url}/job`, { method: "POST" });
    await expect.poll(() => read(first, "/job")).toBe("real-key");
    await first.stop();

    const second = await start({ data });
    expect(await read(second, "/job")).toBe("real-key");
    expect(second.apiKey).toBe(first.apiKey);
    expect(readFileSync(join(data, "api-key"), "utf8")).toBe(`${first.apiKey}\n`);
    expect(statSync(join(data, "api-key")).mode & 0o777).toBe(0o600);
  });

  test("is used by one system at a time", async () => {
    const data = join(folder, "shared");
    await start({ data });
    await expect(start({ data })).rejects.toThrow(/^Cannot use data folder ".*shared": process \d+ uses it/);
  });
});

describe("foreign servers and the simulator", () => {
  test("take the place of the embedded ones when the environment names them", async () => {
    const first = await start();
    const foreign = {
      AWS_ENDPOINT_URL_DYNAMODB: first.aws.dynamodb,
      AWS_ENDPOINT_URL_SQS: first.aws.sqs,
      AWS_ENDPOINT_URL_S3: first.aws.s3,
    };
    const second = await start({ environment: { GEMINI_API_KEY: "other-key", ...foreign } });
    expect(second.aws).toEqual(first.aws);
    await expect.poll(() => read(second, "/swept")).toBe("yes");
    await second.stop();
    expect((await fetch(first.url)).status).toBe(404);
  });

  test("need no Gemini key", async () => {
    const system = await start({ environment: {} });
    expect(system.gemini.mode).toBe("simulator");
    expect((await fetch(`${system.gemini.url}/__sim/ledger`)).status).toBe(200);
  });
});

test("a function that does not load stops the start and ends what was started", async () => {
  const broken = writeAssembly({
    Fixture: { resources, handlers: { ...handlers, b2: "throw new Error('no such table');" } },
  });
  const temporary = temporaryFolder();
  await expect(start({ assembly: broken })).rejects.toThrow(
    /Cannot start function "(worker|sweep)": .*no such table/s,
  );
  expect(readdirSync(temporary)).toEqual([]);
});
