import { afterAll, beforeAll, expect, test } from "vitest";
import { type SsmServer, startSsm } from "./ssm.ts";

let server: SsmServer;
beforeAll(async () => {
  server = await startSsm({ "/plantain/local/gemini-api-key": "secret" });
});
afterAll(() => server.stop());

async function call(operation: string, input: unknown) {
  const response = await fetch(server.url, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": `AmazonSSM.${operation}` },
    body: JSON.stringify(input),
  });
  return { status: response.status, body: await response.json() };
}

const Name = "/plantain/local/gemini-api-key";

test("a parameter is given by its name, decrypted on demand", async () => {
  expect(await call("GetParameter", { Name, WithDecryption: true })).toMatchObject({
    status: 200,
    body: { Parameter: { Name, Type: "SecureString", Value: "secret", Version: 1 } },
  });
});

test("who forgets to ask for decryption does not get the secret", async () => {
  const { body } = await call("GetParameter", { Name });
  expect(JSON.stringify(body)).not.toContain('"secret"');
});

test("another name is not found", async () => {
  expect(await call("GetParameter", { Name: "/other", WithDecryption: true })).toMatchObject({
    status: 400,
    body: { __type: "ParameterNotFound" },
  });
});

test("other operations are refused by name", async () => {
  expect(await call("PutParameter", {})).toMatchObject({
    status: 400,
    body: { __type: "UnknownOperationException", message: expect.stringContaining("AmazonSSM.PutParameter") },
  });
});

test("a request that makes no sense is refused", async () => {
  expect(await call("GetParameter", { Name: 1 })).toMatchObject({
    status: 400,
    body: { __type: "ValidationException" },
  });
});
