import { startSystem } from "@plantain/local/system";
import { expect, it } from "vitest";
import { listen } from "./killer.ts";
import { broken, soak } from "./soak.ts";

it("with its workers killed at random, the system loses no job and pays for none twice without a dead worker to blame", async () => {
  const heard = listen();
  const system = await startSystem({
    port: 0,
    stage: "test",
    latencyMs: 400, // most of an attempt is its call, so that a kill finds one
    environment: {},
    print: heard.print,
  });
  try {
    const report = await soak(system, heard, { jobs: 40, killShare: 0.4, seed: 1, withinMs: 150_000 });
    expect(report.killed).toBeGreaterThan(0);
    expect(report.attemptsKilled).toBeGreaterThan(0);
    expect(report.succeeded + report.failedByKills.length).toBe(40);
    expect(report).toMatchObject(Object.fromEntries(broken.map((list) => [list, []])));
    expect(report.bill).toMatchObject({ surplusCalls: report.paidAgain.length, differenceNanoUsd: 0 });
  } finally {
    await system.stop();
  }
}, 200_000);
