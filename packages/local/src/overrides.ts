/**
 * The closed list of where the local system departs from the template it runs. Nothing else is changed.
 * `docs/local.md` shows the same list; a test compares them.
 */
export const overrides = {
  "queue URLs": "`Ref` of a queue is its address on this machine",
  "API address": "`ApiEndpoint` of the HTTP API is `http://127.0.0.1:<port>`, set by `--port`",
  "minutely schedules": "a schedule of `rate(1 minute)`, AWS's shortest, runs every `--sweep-seconds`",
  "first tick":
    "every schedule also runs at the start, so that the sweep sends open jobs again: messages are in memory",
  "API threads": "the function behind the HTTP API takes many events at once in two threads",
  AWS_ENDPOINT_URL_DYNAMODB: "the embedded DynamoDB, or the one named in the environment",
  AWS_ENDPOINT_URL_SQS: "the embedded SQS, or the one named in the environment",
  AWS_ENDPOINT_URL_S3: "the embedded S3, or the one named in the environment",
  AWS_ENDPOINT_URL_SSM: "a server that knows the Gemini key and nothing else",
  ALLOW_LOOPBACK_WEBHOOKS:
    "for functions that deal with webhooks or images by URL: `true` with `--allow-loopback-webhooks`, so that URLs may name this machine",
  GOOGLE_GEMINI_BASE_URL:
    "for functions with GEMINI_API_KEY_PARAMETERS: the simulator, or what the environment says with a GEMINI_API_KEY",
} as const;

type Override = keyof typeof overrides;

/** Variables that differ from the template's; undefined leaves one out. */
export type OverriddenVariables = Readonly<Record<Extract<Override, `AWS_${string}`>, string>> &
  Readonly<Record<Extract<Override, `${"ALLOW" | "GOOGLE"}_${string}`>, string | undefined>>;

/** How often a schedule runs here, in milliseconds. */
export function intervalMs(everySeconds: number, sweepSeconds: number | undefined): number {
  return 1000 * (everySeconds === 60 ? (sweepSeconds ?? everySeconds) : everySeconds);
}
