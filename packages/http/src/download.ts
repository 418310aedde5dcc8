import { blocks } from "./blocks.ts";
import { type Arriving, exchange, type Reaching, type Request } from "./exchange.ts";
import type { RequestFailure, RequestFailureCode } from "./failure.ts";

/** What is fetched, and how much of it at most. */
export type Downloading = Pick<Request, "url" | "timeoutMs" | "signal"> & { readonly maxBytes: number };

export type Downloaded = {
  readonly type: "downloaded";
  /** In pieces, never copied together. */
  readonly bytes: readonly Uint8Array[];
  readonly size: number;
  /** What the server says it is; the bytes may tell otherwise. */
  readonly contentType: string | null;
  readonly ms: number;
};

/** Any status but 200: there is no file, or not now, or elsewhere, for redirects are not followed. */
export type Refused = { readonly type: "refused"; readonly status: number; readonly ms: number };

export type DownloadFailure = RequestFailure<RequestFailureCode | "too_large">;

/** Gets a file with status 200, whole, uncompressed and of at most `maxBytes`; reading stops beyond. */
export async function download(
  { maxBytes, ...file }: Downloading,
  reaching: Reaching,
): Promise<Downloaded | Refused | DownloadFailure> {
  // Some servers refuse whoever doesn't say who he is
  const headers = { accept: "image/*", "accept-encoding": "identity", "user-agent": "Plantain-Images/1" };
  return exchange<Downloaded | Refused | DownloadFailure>(
    { ...file, method: "GET", headers },
    reaching,
    (answer) => fileIn(answer, maxBytes),
  );
}

/** S3 tells the second of what was uploaded in chunks; the bytes are the file's own by then. */
const plainEncodings = ["", "aws-chunked", "identity"];

async function fileIn(answer: Arriving, maxBytes: number): Promise<Downloaded | Refused | DownloadFailure> {
  const { status, header, body, elapsedMs } = answer;
  const failed = (code: DownloadFailure["code"], message: string): DownloadFailure => {
    return { type: "failed", code, message, ms: elapsedMs() };
  };
  const tooLarge = () => failed("too_large", `Cannot take a file of more than ${maxBytes} bytes`);
  if (status !== 200) return { type: "refused", status, ms: elapsedMs() };
  const encoding = (header("content-encoding") ?? "").trim().toLowerCase();
  if (!plainEncodings.includes(encoding)) {
    return failed("malformed_answer", `Cannot take a file in content encoding "${encoding}"`);
  }
  if (Number(header("content-length") ?? 0) > maxBytes) return tooLarge();
  const kept = blocks();
  for await (const chunk of body) {
    if (kept.size + chunk.length > maxBytes) return tooLarge(); // which closes the connection
    kept.add(chunk);
  }
  const { size } = kept;
  const contentType = header("content-type");
  return { type: "downloaded", bytes: kept.pieces(), size, contentType, ms: elapsedMs() };
}
