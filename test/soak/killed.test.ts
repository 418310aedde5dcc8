import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ListQueuesCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startSimulator } from "@plantain/local/simulator/simulator";
import { expect, it } from "vitest";
import * as z from "zod";
import { clientOf, ledgerAt } from "../e2e/client.ts";
import { atRest } from "./at-rest.ts";

const Ready = z.looseObject({
  url: z.url(),
  apiKey: z.string(),
  aws: z.object({ dynamodb: z.url(), sqs: z.url(), s3: z.url() }),
});
type Ready = z.infer<typeof Ready>;

const main = join(import.meta.dirname, "../../packages/local/src/main.ts");

/** What the jobs' calls meet: nothing, slowness, hanging, broken answers, refusals that pass. */
const moods = [
  "[[sim:SLOW:1200]]",
  "[[sim:SLOW:2500]]",
  "[[sim:HANG*1]]",
  "[[sim:RESET*1]]",
  "[[sim:RATE_LIMIT:1s*1]]",
  "[[sim:OVERLOADED*2]]",
  "[[sim:TRUNCATED*1]]",
  "",
];

async function start(data: string, gemini: string): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = spawn(process.execPath, [main, "--json", "--stage", "test", "--port", "0", "--data", data], {
    env: { ...process.env, GEMINI_API_KEY: "any", GOOGLE_GEMINI_BASE_URL: gemini },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(createInterface(child.stdout), "line");
  return { child, ready: Ready.parse(JSON.parse(String(line))) };
}

/** As SQS may do: each job's message once more. */
async function repeatMessages(sqs: string, ids: readonly string[]): Promise<void> {
  const credentials = { accessKeyId: "local", secretAccessKey: "local-secret" };
  const client = new SQSClient({ endpoint: sqs, region: "us-east-1", credentials });
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
  const jobs = QueueUrls.find((url) => /JobsQueue/.test(url));
  if (jobs === undefined) throw new Error("Cannot find the jobs queue");
  for (const jobId of ids) {
    const MessageBody = JSON.stringify({ jobId });
    await client.send(
      new SendMessageCommand({
        QueueUrl: sqs + new URL(jobs).pathname,
        MessageBody,
        MessageGroupId: "again",
      }),
    );
  }
  client.destroy();
}

it("killed again and again in the middle of calls, with messages that come twice and a provider that hangs, the system leaves nothing wrong behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "plantain-killed-"));
  const gemini = await startSimulator({ latency: { medianMs: 100, sigma: 0 } });
  let system = await start(folder, gemini.url);
  try {
    const first = clientOf(system.ready);
    const jobs = await Promise.all(
      Array.from({ length: 32 }, (_, n) =>
        first.submit({ prompt: `Killed ${n} ${moods[n % moods.length]}`, count: n % 5 === 0 ? 2 : 1 }),
      ),
    );
    const ids = jobs.map(({ id }) => id);
    for (let kills = 0; kills < 4; kills += 1) {
      await repeatMessages(system.ready.aws.sqs, ids);
      await sleep(2_500);
      system.child.kill("SIGKILL");
      await once(system.child, "exit");
      system = await start(folder, gemini.url);
    }
    const client = clientOf(system.ready);
    const ended = await Promise.all(ids.map((id) => client.end(id, 150_000)));
    expect(ended.filter(({ status }) => status !== "succeeded")).toEqual([]);
    await sleep(1_000); // a worker that lost its job may still be telling its bill
    const pictureUrl = ended[0]?.images[0]?.url ?? "";
    const left = { ...system.ready.aws, pictureUrl, lookInto: 1 };
    expect(await atRest(left, (await ledgerAt(gemini.url)).calls)).toEqual([]);
  } finally {
    system.child.kill("SIGKILL");
    await gemini.stop();
    await rm(folder, { recursive: true, force: true });
  }
}, 240_000);
