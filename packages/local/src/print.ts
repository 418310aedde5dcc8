import { constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** Shows one line; `source` is the function that wrote it, or `local` for the runtime itself. */
export type Print = (source: string, line: string) => void;

/** Bytes kept for a reader that is slow; what comes on top is dropped. */
const backlogLimit = 1024 * 1024;

/**
 * Prints to stdout (1) or stderr (2) without ever waiting for whoever reads there: a program that starts us and reads
 * nothing after the first line must not bring everything to a halt once its pipe is full.
 */
export function printTo(fd: 1 | 2): Print {
  const output = unhurried(fd);
  // Who closed the other end does not want to hear more.
  output.on("error", () => undefined);
  return (source, line) => {
    if (output.writableLength < backlogLimit) output.write(`${source} | ${line}\n`);
  };
}

/** Node writes to pipes synchronously; these are such that it does not. */
function unhurried(fd: 1 | 2): Writable {
  const kind = fstatSync(fd);
  // Opened anew, so that only our end does not block, and not that of others who share the pipe.
  if (kind.isFIFO()) {
    const own = openSync(`/dev/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    return new Socket({ fd: own, readable: false });
  }
  if (kind.isSocket()) return new Socket({ fd, readable: false });
  return fd === 1 ? process.stdout : process.stderr;
}

/** Shows a stream line by line as it comes. */
export function printLines(stream: Readable, source: string, print: Print): void {
  createInterface({ input: stream }).on("line", (line) => print(source, line));
}
