import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { messageOf, post, prompted } from "./client-for-tests.ts";
import { type Simulator, startSimulator } from "./simulator.ts";

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.stop());
beforeEach(() => simulator.reset());

/** Other work may be going on on the machine. */
const patience = { timeout: 4000, interval: 20 };

const key = { "x-goog-api-key": "test-key" };
const get = async (path: string) => {
  const response = await fetch(`${simulator.url}${path}`, { headers: key });
  return { status: response.status, text: await response.text(), headers: response.headers };
};

async function startUpload(mimeType: string): Promise<string> {
  const reply = await post(
    simulator.url,
    "/upload/v1beta/files",
    { file: { display_name: "notes", mimeType } },
    { ...key, "x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start" },
  );
  return reply.headers.get("x-goog-upload-url") ?? "";
}

async function sendChunk(url: string, command: string, offset: number, body: string) {
  return await fetch(url, {
    method: "POST",
    headers: { "x-goog-upload-command": command, "x-goog-upload-offset": String(offset) },
    body,
  });
}

const FileName = z.object({ file: z.object({ name: z.string() }) });

async function upload(content: string, mimeType = "application/jsonl"): Promise<string> {
  const reply = await sendChunk(await startUpload(mimeType), "upload, finalize", 0, content);
  return FileName.parse(await reply.json()).file.name;
}

describe("files", () => {
  it("arrive in chunks at the address that the start gave", async () => {
    const url = await startUpload("text/plain");
    expect((await sendChunk(url, "upload", 0, "hello ")).headers.get("x-goog-upload-status")).toBe("active");
    const query = await sendChunk(url, "query", 0, "");
    expect(query.headers.get("x-goog-upload-size-received")).toBe("6");
    expect((await sendChunk(url, "upload", 3, "x")).status).toBe(400);
    const last = await sendChunk(url, "upload, finalize", 6, "world");
    expect(last.headers.get("x-goog-upload-status")).toBe("final");
    const body = await last.json();
    expect(body).toMatchObject({
      file: {
        displayName: "notes",
        mimeType: "text/plain",
        sizeBytes: "11",
        state: "ACTIVE",
        uri: expect.stringMatching(/^http:\/\/127.*\/v1beta\/files\/[a-z0-9]+$/),
      },
    });
    const { name } = FileName.parse(body).file;
    const download = await get(`/v1beta/${name}:download?alt=media`);
    expect([download.text, download.headers.get("content-type")]).toEqual(["hello world", "text/plain"]);
  });

  it("are listed in pages", async () => {
    for (const text of ["a", "b", "c"]) await upload(text);
    const Page = z.object({ files: z.array(z.unknown()), nextPageToken: z.string().optional() });
    const first = Page.parse(JSON.parse((await get("/v1beta/files?pageSize=2")).text));
    const rest = Page.parse(
      JSON.parse((await get(`/v1beta/files?pageSize=2&pageToken=${first.nextPageToken}`)).text),
    );
    expect([first.files.length, rest.files.length, rest.nextPageToken]).toEqual([2, 1, undefined]);
  });
});

const Operation = z.object({
  name: z.string(),
  done: z.boolean().optional(),
  metadata: z.object({
    state: z.string(),
    batchStats: z.record(z.string(), z.string()),
    output: z.object({ responsesFile: z.string().optional() }).optional(),
  }),
  error: z.unknown().optional(),
});

async function createBatch(inputConfig: object) {
  const path = "/v1beta/models/gemini-3.1-flash-lite-image:batchGenerateContent";
  return await post(simulator.url, path, { batch: { displayName: "b", inputConfig } });
}

async function finished(name: string) {
  const read = async () => Operation.parse(JSON.parse((await get(`/v1beta/${name}`)).text));
  await expect.poll(async () => (await read()).done, patience).toBe(true);
  return await read();
}

describe("batches", () => {
  it("of a file give a file of answers, each line with its key", async () => {
    const row = (id: string, request: object) => JSON.stringify({ key: id, request });
    const fileName = await upload(
      [
        row("1", {
          contents: [{ parts: [{ text: "A pear" }] }],
          generation_config: { response_modalities: ["IMAGE"] },
        }),
        row("2", { contents: [{ parts: [{ text: "A plum" }] }], colour: "red" }),
        row("3", prompted("A fig [[sim:RESET_BODY]]")),
        "not json",
      ].join("\n"),
    );
    const created = Operation.parse((await createBatch({ fileName })).json());
    expect(created.metadata.state).toBe("BATCH_STATE_PENDING");
    const batch = await finished(created.name);
    expect(batch.metadata.state).toBe("BATCH_STATE_SUCCEEDED");
    expect(batch.metadata.batchStats).toEqual({
      requestCount: "4",
      successfulRequestCount: "1",
      failedRequestCount: "3",
      pendingRequestCount: "0",
    });
    const file = await get(`/v1beta/${batch.metadata.output?.responsesFile}:download?alt=media`);
    const lines = file.text
      .trimEnd()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { key: "1", response: { candidates: [{ finishReason: "STOP" }] } },
      { key: "2", error: { code: 3, message: expect.stringContaining('Unknown name "colour"') } },
      { key: "3", error: { code: 13 } },
      { error: { code: 3 } },
    ]);
    const { calls } = simulator.ledger();
    expect(calls.map((call) => [call.batch === created.name, call.billed])).toEqual([
      [true, true],
      [true, false],
      [true, true],
      [true, false],
    ]);
  });

  it("without rows fail", async () => {
    const fileName = await upload("\n");
    const created = Operation.parse((await createBatch({ fileName })).json());
    const batch = await finished(created.name);
    expect([batch.metadata.state, batch.error]).toEqual([
      "BATCH_STATE_FAILED",
      { code: 3, message: "The batch has no requests." },
    ]);
  });

  it("are refused with unknown fields, an absent file, nothing at all, or more than 20 MB inline", async () => {
    const refused = [
      await createBatch({ requests: { requests: [{ request: { content: [] } }] } }),
      await createBatch({ fileName: "files/absent" }),
      await createBatch({}),
      await createBatch({ requests: { requests: [prompted("x".repeat(21 * 2 ** 20))] } }),
    ];
    expect(refused.map((reply) => [reply.status, messageOf(reply.json())])).toEqual([
      [
        400,
        `Invalid JSON payload received. Unknown name "content" at 'batch.input_config.requests.requests[0].request': Cannot find field.`,
      ],
      [403, "You do not have permission to access the File absent or it may not exist."],
      [400, "* BatchGenerateContentRequest.batch.input_config: input_config is not specified\n"],
      [400, "Request payload size exceeds the limit: 20971520 bytes."],
    ]);
  });

  it("stop when canceled; rows not begun are never billed", async () => {
    const request = prompted("x [[sim:SLOW:400]]");
    const rows = Array.from({ length: 5 }, () => ({ request }));
    const created = Operation.parse((await createBatch({ requests: { requests: rows } })).json());
    await expect.poll(() => simulator.ledger().calls.length, patience).toBeGreaterThan(0);
    await post(simulator.url, `/v1beta/${created.name}:cancel`, {});
    const batch = await finished(created.name);
    expect(batch.metadata.state).toBe("BATCH_STATE_CANCELLED");
    await expect.poll(() => simulator.ledger().calls.at(-1)?.finishedAt, patience).not.toBeNull();
    expect(simulator.ledger().calls.length).toBeLessThan(5);
  });
});
