import type { Failure } from "@plantain/core/job/failure";
import type { Exchange } from "./exchange.ts";
import { type HttpError, httpFailure } from "./http-failure.ts";
import { noImageFailure } from "./no-image-failure.ts";
import type { Reply } from "./reply.ts";
import { transportFailure } from "./transport-failure.ts";
import { upstreamOf } from "./upstream.ts";

/** How a call can end without its picture. */
export type Unanswered =
  /** A status that is no success. */
  | ({ type: "http" } & HttpError)
  /** A reply with status 200 that holds no picture. */
  | { type: "no_image"; reply: Reply }
  /** A picture whose bytes are none, or are cut. */
  | { type: "unreadable"; finishReason: string | null }
  /** Nothing, or not all of a reply. */
  | { type: "transport"; error: unknown; seen: Pick<Exchange, "request" | "status"> }
  | { type: "timeout"; afterMs: number };

/** Classifies the end of a call: what to tell the user, whether it was billed, and when to try again. */
export function failureOf(unanswered: Unanswered): Failure {
  switch (unanswered.type) {
    case "http":
      return httpFailure(unanswered);
    case "no_image":
      return noImageFailure(unanswered.reply);
    case "unreadable":
      return {
        code: "upstream_error",
        message: "Gemini sent a picture that can't be read",
        billed: "yes",
        upstream: upstreamOf({ status: 200, finishReason: unanswered.finishReason }),
      };
    case "transport":
      return transportFailure(unanswered.error, unanswered.seen);
    case "timeout":
      return {
        code: "timeout",
        message: `Gemini didn't answer within ${Math.round(unanswered.afterMs / 1000)} s`,
        billed: "unknown", // it may be drawing still
      };
  }
}
