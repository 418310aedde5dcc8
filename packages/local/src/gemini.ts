import type { Print } from "./print.ts";

/** Where images come from. `url` is undefined where the client's own default holds. */
export type Gemini = {
  readonly mode: "real" | "simulator";
  readonly url: string | undefined;
  readonly apiKey: string;
  stop(): Promise<void>;
};

/**
 * Google's server when the environment has a GEMINI_API_KEY, else the simulator, which needs none.
 * @param latencyMs how long the simulator takes for an image; without it hardly any time
 */
export async function startGemini(
  environment: NodeJS.ProcessEnv,
  latencyMs: number | undefined,
  print: Print,
): Promise<Gemini> {
  const { GEMINI_API_KEY: apiKey, GOOGLE_GEMINI_BASE_URL: url } = environment;
  if (apiKey) return { mode: "real", url, apiKey, stop: async () => undefined };
  if (url)
    print("local", "GOOGLE_GEMINI_BASE_URL is not used without a GEMINI_API_KEY: the simulator answers");
  const { startSimulator } = await import("./simulator/simulator.ts");
  const simulator = await startSimulator(
    latencyMs === undefined ? {} : { latency: { medianMs: latencyMs, sigma: 0 } },
  );
  return { mode: "simulator", url: simulator.url, apiKey: "simulated-key", stop: () => simulator.stop() };
}
