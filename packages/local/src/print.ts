import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/** Shows one line; `source` is the function that wrote it, or `local` for the runtime itself. */
export type Print = (source: string, line: string) => void;

/** Shows a stream line by line as it comes. */
export function printLines(stream: Readable, source: string, print: Print): void {
  createInterface({ input: stream }).on("line", (line) => print(source, line));
}
