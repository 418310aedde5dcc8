import { describe, expect, test } from "vitest";
import { parseFlags, usage } from "./flags.ts";

describe("the command line", () => {
  test("may be empty", () => {
    expect(parseFlags([], undefined)).toEqual({
      port: 8787,
      data: undefined,
      stage: "local",
      json: false,
      sweepSeconds: undefined,
      latencyMs: undefined,
      allowLoopbackWebhooks: false,
      help: false,
    });
  });

  test("takes every flag", () => {
    const args =
      "--port 0 --data dir --stage test --json --sweep-seconds 5 --latency-ms 0 --allow-loopback-webhooks".split(
        " ",
      );
    expect(parseFlags(args, "9000")).toEqual({
      port: 0,
      data: "dir",
      stage: "test",
      json: true,
      sweepSeconds: 5,
      latencyMs: 0,
      allowLoopbackWebhooks: true,
      help: false,
    });
  });

  test.each([
    ["9000", 9000],
    ["", 8787],
  ])("takes the port from the variable PORT=%s", (variable, port) => {
    expect(parseFlags([], variable).port).toBe(port);
  });

  test.each([
    [["--prot", "1"], undefined, "--prot"],
    [["extra"], undefined, "extra"],
    [["--port"], undefined, "--port"],
    [["--port", "eighty"], undefined, 'Cannot use --port "eighty": give a whole number from 0 to 65535'],
    [["--port", "65536"], undefined, 'Cannot use --port "65536"'],
    [[], "x", 'Cannot use PORT "x"'],
    [["--stage", "prod"], undefined, 'Cannot use --stage "prod": give local or test'],
    [["--sweep-seconds", "0"], undefined, 'Cannot use --sweep-seconds "0"'],
    [["--latency-ms", "-1"], undefined, "--latency-ms"],
    [["--data", ""], undefined, 'Cannot use --data ""'],
  ])("is refused when it is %j with PORT=%s", (args, variable, message) => {
    expect(() => parseFlags(args, variable)).toThrow(message);
  });

  test("is explained flag by flag", () => {
    for (const flag of ["port", "data", "stage", "json", "sweep-seconds", "latency-ms", "help"]) {
      expect(usage).toContain(`--${flag}`);
    }
  });
});
