import { type System, type SystemOptions, startSystem } from "@plantain/local/system";
import { type Client, clientOf } from "./client.ts";

/** A system in stage `test` on a free port, whose simulator is quick, with a client, and the lines that it prints. */
export type TestSystem = {
  readonly system: System;
  readonly client: Client;
  readonly lines: readonly string[];
};

export async function startTestSystem(about: Partial<SystemOptions> = {}): Promise<TestSystem> {
  const lines: string[] = [];
  const print = (source: string, text: string) => {
    lines.push(`${source}: ${text}`);
  };
  const usual = { port: 0, stage: "test", latencyMs: 20, environment: {}, print } as const;
  const system = await startSystem({ ...usual, ...about });
  return { system, client: clientOf(system), lines };
}
