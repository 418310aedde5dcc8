import type { Failure } from "@plantain/core/job/failure";
import * as z from "zod";
import { type Breakage, BrokenReply } from "./broken-reply.ts";
import type { Exchange } from "./exchange.ts";
import { upstreamOf } from "./upstream.ts";

const broken: Readonly<Record<Breakage, Pick<Failure, "message" | "billed">>> = {
  cut: { message: "Gemini's answer broke off inside a picture", billed: "unknown" },
  bad_base64: { message: "Gemini sent a picture that can't be decoded", billed: "yes" },
  too_large: { message: "Gemini's answer is larger than this service takes", billed: "yes" },
};

/** Classifies a call that got no reply, or not all of one. */
export function transportFailure(
  error: unknown,
  { request, status }: Pick<Exchange, "request" | "status">,
): Failure {
  if (request === "none") {
    return {
      code: "provider_configuration",
      message: "Cannot make a request to Gemini: its address, the model's name or the API key is malformed",
      billed: "no",
    };
  }
  const code = "upstream_error";
  if (request === "made") return { code, message: `Cannot connect to Gemini${detail(error)}`, billed: "no" };
  if (status === null) {
    return { code, message: `The connection to Gemini broke${detail(error)}`, billed: "unknown" };
  }
  const upstream = upstreamOf({ status });
  if (error instanceof BrokenReply) return { code, ...broken[error.breakage], upstream };
  const message =
    error instanceof SyntaxError
      ? "Gemini's answer is cut or no JSON"
      : `Gemini's answer broke off${detail(error)}`;
  return { code, message, billed: "unknown", upstream };
}

/** Node's name for what happened to the connection, as ` (ECONNRESET)`. */
function detail(error: unknown): string {
  const { data } = z.object({ code: z.string() }).safeParse(error);
  return data ? ` (${data.code})` : "";
}
