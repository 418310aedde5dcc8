import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/*
 * The other side of the worker benchmark, in a process of its own: plays Gemini, which answers a model named
 * "draws-<megabytes>-at-<megabytes per second>" with a PNG of that size (0: as fast as it goes), and S3, which takes
 * whatever is put. Tells its port to its parent.
 */

const replies = new Map<number, Buffer>();
const pieceBytes = 65_536;

/** A reply of Gemini with a PNG of noise: valid as far as a reader of headers can tell. */
function replyWith(megabytes: number): Buffer {
  const known = replies.get(megabytes);
  if (known) return known;
  const chunk = (type: string, data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
  };
  const header = Buffer.from("00001000000010000806000000", "hex");
  const pixels = Array.from({ length: megabytes * 16 }, () => chunk("IDAT", randomBytes(pieceBytes - 12)));
  const png = Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    ...pixels,
    chunk("IEND", Buffer.alloc(0)),
  ]);
  const signature = randomBytes(3000).toString("base64");
  const usage =
    '{"promptTokenCount":12,"candidatesTokenCount":1120,"totalTokenCount":1132,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1120}]}';
  const reply = Buffer.concat([
    Buffer.from('{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"'),
    Buffer.from(png.toString("base64"), "latin1"),
    Buffer.from(`"},"thoughtSignature":"${signature}"}],"role":"model"},"finishReason":"STOP","index":0}],`),
    Buffer.from(`"usageMetadata":${usage},"modelVersion":"bench","responseId":"bench"}`),
  ]);
  replies.set(megabytes, reply);
  return reply;
}

async function draw(response: ServerResponse, megabytes: number, megabytesPerSecond: number): Promise<void> {
  const reply = replyWith(megabytes);
  response.writeHead(200, { "content-type": "application/json; charset=UTF-8" });
  if (megabytesPerSecond === 0) {
    response.end(reply);
    return;
  }
  const startedAt = performance.now();
  for (let at = 0; at < reply.length; at += pieceBytes) {
    const early = at / (megabytesPerSecond * 1048.576) - (performance.now() - startedAt);
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early));
    if (!response.write(reply.subarray(at, at + pieceBytes))) await once(response, "drain");
  }
  response.end();
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const drawing = /draws-(\d+)-at-(\d+)/.exec(request.url ?? "");
  request.resume();
  request.once("end", () => {
    if (drawing) void draw(response, Number(drawing[1]), Number(drawing[2]));
    else response.writeHead(200, { etag: '"bench"' }).end();
  });
}

const server = createServer(serve);
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) process.send?.({ port: address.port });
});
process.once("disconnect", () => process.exit());
