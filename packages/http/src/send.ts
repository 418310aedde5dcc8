import { blocks } from "./blocks.ts";
import { exchange, type Reaching, type Request } from "./exchange.ts";
import type { RequestFailure } from "./failure.ts";

/** What is posted where. */
export type Sending = Omit<Request, "method"> & { readonly body: string | Uint8Array };

/** What a receiver said, with any status: a redirect is one like the others. */
export type Answered = {
  readonly type: "answered";
  readonly status: number;
  /** As it came: seconds, or a date. */
  readonly retryAfter: string | null;
  /** The beginning, at most 4,096 bytes, as it came over the wire. */
  readonly body: Uint8Array;
  /** Whether `body` is all of it. If not, it was longer, broke off, or took longer than there was time. */
  readonly isWhole: boolean;
  /** Milliseconds until there was no more to read. */
  readonly ms: number;
};

const keptBytes = 4_096;

/**
 * Posts once. Once a status has arrived the receiver has answered, whatever becomes of the rest: taking a dripping body
 * for a failure would send the same again to somebody who has taken it.
 */
export async function send(message: Sending, reaching: Reaching): Promise<Answered | RequestFailure> {
  return exchange<Answered>(
    { ...message, method: "POST" },
    reaching,
    async ({ status, header, body, elapsedMs }) => {
      const read = await beginning(body);
      return { type: "answered", status, retryAfter: header("retry-after"), ...read, ms: elapsedMs() };
    },
  );
}

async function beginning(body: AsyncIterable<Uint8Array>): Promise<Pick<Answered, "body" | "isWhole">> {
  const kept = blocks();
  let isWhole = true;
  try {
    for await (const chunk of body) {
      const left = keptBytes - kept.size;
      kept.add(chunk.subarray(0, left));
      if (chunk.length > left) {
        isWhole = false;
        break; // which closes the connection
      }
    }
  } catch {
    isWhole = false; // the status counts
  }
  return { body: Buffer.concat(kept.pieces()), isWhole };
}
