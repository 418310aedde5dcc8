import { expect, test } from "vitest";
import type { FunctionSpec } from "../template/functions.ts";
import type { ScheduleSpec } from "../template/triggers.ts";
import type { FunctionPool } from "./pool.ts";
import { startSchedule } from "./schedule.ts";

const spec: FunctionSpec = {
  name: "sweep",
  physicalName: "Sweep",
  arn: "",
  modulePath: "",
  exportName: "",
  environment: {},
  timeoutMs: 1000,
  memoryMb: 128,
  reservedConcurrency: undefined,
};
const schedule: ScheduleSpec = {
  function: spec,
  everySeconds: 60,
  input: undefined,
  source: "aws.scheduler",
  arn: "arn:aws:scheduler:us-east-1:000000000000:schedule/default/Sweeping",
};

function poolThat(run: () => Promise<void>) {
  const events: unknown[] = [];
  const pool: FunctionPool = {
    name: "sweep",
    async invoke(event) {
      events.push(event);
      await run();
      return { ok: false, error: { errorType: "Error", errorMessage: "no luck" } };
    },
    warm: async () => undefined,
    kill: async () => false,
    stop: async () => undefined,
    status: () => ({ name: "sweep", threads: 0, busy: 0, inFlight: 0 }),
  };
  return { pool, events };
}

test("a schedule runs at once and then at every tick, whether runs fail or not", async () => {
  const { pool, events } = poolThat(async () => undefined);
  const end = startSchedule({ schedule, everyMs: 20, pool });
  expect(events).toHaveLength(1);
  await expect.poll(() => events.length).toBeGreaterThan(2);
  end();
  expect(events[0]).toMatchObject({
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account: "000000000000",
    region: "us-east-1",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  });
});

test("a tick is left out while the run before it goes on", async () => {
  const gate = Promise.withResolvers<void>();
  const { pool, events } = poolThat(() => gate.promise);
  const end = startSchedule({ schedule, everyMs: 5, pool });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(events).toHaveLength(1);
  gate.resolve();
  await expect.poll(() => events.length).toBeGreaterThan(1);
  end();
});

test("a schedule with an input hands that over", () => {
  const { pool, events } = poolThat(async () => undefined);
  startSchedule({
    schedule: { ...schedule, input: '{"full":true}' },
    everyMs: 1000,
    pool,
  })();
  expect(events).toEqual([{ full: true }]);
});
