import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { createPool, type FunctionPool, type PoolSize } from "./pool.ts";

const folder = mkdtempSync(join(tmpdir(), "plantain-pool-"));
afterAll(() => rmSync(folder, { recursive: true }));

const pools: FunctionPool[] = [];
const lines: string[] = [];
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
  lines.length = 0;
});

/** One module for all tests: the event says what to do. */
const source = `
import { setTimeout as sleep } from "node:timers/promises";
let calls = 0;
export const handler = async (event, context) => {
  calls += 1;
  const does = {
    echo: () => ({ event, calls, env: { ...process.env }, id: context.awsRequestId }),
    sleep: async () => { await sleep(event.ms); return calls; },
    remaining: () => [context.getRemainingTimeInMillis(), context.functionName, context.memoryLimitInMB],
    spin: () => { for (;;); },
    exit: () => process.exit(7),
    reject: () => { Promise.reject(new RangeError("nobody waits")); return sleep(1000); },
    throw: () => { throw new TypeError("wrong"); },
    say: () => { console.log("to stdout"); console.error("to stderr"); },
    nothing: () => undefined,
    large: () => "x".repeat(7_000_000),
  };
  return does[event.do]();
};`;
writeFileSync(join(folder, "handler.mjs"), source);
writeFileSync(join(folder, "broken.mjs"), "import './absent.mjs';");

function pool(
  size: Partial<PoolSize> = {},
  changes: {
    module?: string;
    exportName?: string;
    timeoutMs?: number;
    environment?: Record<string, string>;
  } = {},
) {
  const created = createPool(
    {
      name: "fn",
      modulePath: join(folder, changes.module ?? "handler.mjs"),
      exportName: changes.exportName ?? "handler",
      functionName: "Stack-Fn",
      functionArn: "arn:aws:lambda:us-east-1:000000000000:function:Stack-Fn",
      memoryMb: 128,
      timeoutMs: changes.timeoutMs ?? 5000,
      environment: changes.environment ?? { ONLY: "this" },
    },
    { threads: 2, eventsPerThread: 1, ...size },
    (name, line) => lines.push(`${name} | ${line}`),
  );
  pools.push(created);
  return created;
}

async function result(outcome: ReturnType<FunctionPool["invoke"]>): Promise<unknown> {
  const settled = await outcome;
  return settled.ok ? JSON.parse(settled.result) : settled.error;
}

const untilTrue = (check: () => boolean) => expect.poll(check, { interval: 5 }).toBe(true);

describe("a function", () => {
  test("sees its own environment and nothing of this process's", async () => {
    const [one, other] = [pool(), pool({}, { environment: { OTHER: "function" } })];
    expect(await result(one.invoke({ do: "echo" }))).toMatchObject({
      event: { do: "echo" },
      env: { ONLY: "this" },
    });
    expect(await result(other.invoke({ do: "echo" }))).toHaveProperty("env", { OTHER: "function" });
  });

  test("is told how long it has left and who it is", async () => {
    expect(await result(pool().invoke({ do: "remaining" }))).toEqual([
      expect.toSatisfy((ms: number) => ms > 4000 && ms <= 5000),
      "Stack-Fn",
      "128",
    ]);
  });

  test("stays warm, also after it has thrown", async () => {
    const warm = pool();
    expect(await result(warm.invoke({ do: "throw" }))).toMatchObject({
      errorType: "TypeError",
      errorMessage: "wrong",
      trace: expect.arrayContaining([expect.stringContaining("handler.mjs")]),
    });
    expect(await result(warm.invoke({ do: "echo" }))).toHaveProperty("calls", 2);
    expect(warm.status()).toMatchObject({ threads: 1, busy: 0, inFlight: 0 });
    expect(lines[0]).toBe("fn | TypeError: wrong");
  });

  test("that returns nothing returns null", async () => {
    expect(await result(pool().invoke({ do: "nothing" }))).toBeNull();
  });

  test("has its output passed on line by line under its name", async () => {
    await pool().invoke({ do: "say" });
    await untilTrue(() => lines.length === 2);
    expect(lines.sort()).toEqual(["fn | to stderr", "fn | to stdout"]);
  });
});

describe("an event ends with an error", () => {
  test.each([
    [
      "when it takes too long, even in a busy loop",
      { do: "spin" },
      "Sandbox.Timedout",
      /Task timed out after 0.30 seconds/,
    ],
    ["when the function ends its process", { do: "exit" }, "Runtime.ExitError", /exit status 7/],
    ["when a rejection is left unhandled", { do: "reject" }, "RangeError", /nobody waits/],
    ["when the answer is above 6 MB", { do: "large" }, "Function.ResponseSizeTooLarge", /6291556 bytes/],
  ])("%s", async (_when, event, errorType, errorMessage) => {
    const short = pool({}, { timeoutMs: 300 });
    expect(await result(short.invoke(event))).toMatchObject({
      errorType,
      errorMessage: expect.stringMatching(errorMessage),
    });
    // The next event gets a thread that works.
    expect(await result(short.invoke({ do: "echo" }))).toHaveProperty("event");
  });

  test("when it is above 6 MB itself", async () => {
    expect(await result(pool().invoke("x".repeat(7_000_000)))).toHaveProperty(
      "errorType",
      "RequestTooLargeException",
    );
  });

  test("when all threads are taken", async () => {
    const small = pool({ threads: 1 });
    const first = small.invoke({ do: "sleep", ms: 100 });
    expect(await result(small.invoke({ do: "echo" }))).toHaveProperty(
      "errorType",
      "TooManyRequestsException",
    );
    expect(await result(first)).toBe(1);
  });
});

describe("a module that does not load", () => {
  test("fails the start with its error", async () => {
    await expect(pool({}, { module: "broken.mjs" }).warm(1)).rejects.toThrow(
      /^Cannot start function "fn": .*absent\.mjs/s,
    );
    await expect(pool({}, { exportName: "main" }).warm(1)).rejects.toThrow(/exports no function "main"/);
  });

  test("fails each event, with a fresh thread each time", async () => {
    const broken = pool({}, { module: "broken.mjs" });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await result(broken.invoke({}))).toHaveProperty(
        "errorMessage",
        expect.stringContaining("absent.mjs"),
      );
    }
    await untilTrue(() => broken.status().threads === 0);
  });
});

describe("killing", () => {
  test("ends a busy thread and its event at once", async () => {
    const target = pool();
    await target.warm(1);
    const doomed = target.invoke({ do: "spin" });
    await untilTrue(() => target.status().busy === 1);
    expect(await target.kill()).toBe(true);
    expect(await result(doomed)).toEqual({
      errorType: "Runtime.ExitError",
      errorMessage: "Runtime exited with error: signal: killed",
    });
    expect(target.status().threads).toBe(0);
  });

  test("says when no thread is busy", async () => {
    const idle = pool();
    await idle.warm(1);
    expect(await idle.kill()).toBe(false);
  });
});

describe("a thread that takes many events", () => {
  test("works on them side by side", async () => {
    const shared = pool({ threads: 1, eventsPerThread: 50 });
    const sleeping = Array.from({ length: 10 }, () => result(shared.invoke({ do: "sleep", ms: 100 })));
    expect(await result(shared.invoke({ do: "echo" }))).toHaveProperty("calls", 11);
    expect(shared.status()).toMatchObject({ threads: 1, inFlight: 10 });
    expect(await Promise.all(sleeping)).toHaveLength(10);
  });

  test("shares them out evenly over warm threads", async () => {
    const shared = pool({ threads: 2, eventsPerThread: 50 });
    await shared.warm(2);
    await Promise.all([shared.invoke({ do: "echo" }), shared.invoke({ do: "echo" })]);
    expect(await result(shared.invoke({ do: "echo" }))).toHaveProperty("calls", 2);
  });

  test("finishes the others when one of them times out, and then makes way for a fresh one", async () => {
    const shared = pool({ threads: 1, eventsPerThread: 50 }, { timeoutMs: 300 });
    await shared.warm(1);
    const late = result(shared.invoke({ do: "sleep", ms: 5000 }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const inTime = result(shared.invoke({ do: "sleep", ms: 200 }));
    expect(await late).toHaveProperty("errorType", "Sandbox.Timedout");
    expect(await result(shared.invoke({ do: "echo" }))).toHaveProperty("calls", 1);
    expect(await inTime).toBe(2);
    await untilTrue(() => shared.status().threads === 1);
  });
});

test("a stopped pool takes nothing more", async () => {
  const stopped = pool();
  await stopped.warm(1);
  await stopped.stop();
  expect(await result(stopped.invoke({ do: "echo" }))).toHaveProperty(
    "errorType",
    "TooManyRequestsException",
  );
  expect(stopped.status().threads).toBe(0);
});
