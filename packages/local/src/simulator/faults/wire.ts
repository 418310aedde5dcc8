import { errorReply, internalError } from "../refusal.ts";
import { type Delivery, type Fault, wholeNumber } from "./fault.ts";

const eightMinutes = 480_000;

/** The answer is made, or not, and then something happens on the way. */
export const wireFaults: readonly Fault[] = [
  {
    name: "SLOW",
    what: "the first byte comes late",
    argument: "milliseconds, 5000 by default",
    billed: true,
    effect: { kind: "latency", ms: (argument) => wholeNumber(argument, 5000) },
  },
  {
    ...delivery("DRIP", "the body trickles in", true, (argument) => ({
      kind: "drip",
      ms: wholeNumber(argument, 2000),
    })),
    argument: "milliseconds from first to last byte, 2000 by default",
  },
  {
    ...delivery(
      "HANG",
      "no byte for up to 8 minutes, then a reset; the work is done and billed",
      true,
      (arg) => ({
        kind: "hang",
        ms: wholeNumber(arg, eightMinutes),
      }),
    ),
    argument: "milliseconds until the reset",
  },
  delivery("RESET", "the connection is reset before headers and before any work", false, () => ({
    kind: "reset",
  })),
  delivery("RESET_BODY", "the connection is reset in the middle of a 200", true, () => ({
    kind: "reset-midway",
  })),
  delivery("TRUNCATED", "a 200 whose JSON ends in the middle; a stream without finishReason", true, () => ({
    kind: "cut",
  })),
  delivery("TRUNCATED_ERROR", "a 500 whose JSON ends in the middle", false, () => ({
    kind: "error-cut",
    error: internalError(),
  })),
  delivery(
    "STREAM_ERROR",
    "a stream that turns into a 503 midway; a plain 503 without streaming",
    false,
    () => ({
      kind: "error-midway",
      error: errorReply(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    }),
  ),
];

function delivery(
  name: string,
  what: string,
  billed: boolean,
  make: (argument: string | null) => Delivery,
): Fault {
  return { name, what, billed, effect: { kind: "delivery", delivery: make } };
}
