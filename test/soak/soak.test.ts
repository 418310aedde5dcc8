import { startSystem } from "@plantain/local/system";
import { expect, it } from "vitest";
import { soak } from "./soak.ts";

it("with its workers killed at random, the system loses no job and pays for none twice without a dead worker to blame", async () => {
  const system = await startSystem({
    port: 0,
    stage: "test",
    latencyMs: 100,
    environment: {},
    print: () => undefined,
  });
  try {
    const report = await soak(system, { jobs: 40, killEveryMs: 2_000, seed: 1, withinMs: 150_000 });
    expect(report.killed).toBeGreaterThan(0);
    expect(report.attempts).toBeGreaterThan(40);
    expect(report).toMatchObject({
      lost: [],
      stuck: [],
      failed: [],
      committedTwice: [],
      wrongImage: [],
      untold: [],
      unexplained: [],
      atRest: [],
    });
  } finally {
    await system.stop();
  }
}, 200_000);
