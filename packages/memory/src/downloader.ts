import type { Download, Downloader } from "@plantain/core/job/ports";

export type MemoryDownloader = Downloader & {
  /** What was asked for, in order. */
  readonly asked: readonly string[];
  /** Lets a URL lead to these, one after the other; the last goes for all further requests. */
  serve(url: string, ...answers: readonly [Download, ...Download[]]): void;
};

/** A web in which only what a test puts there is found. For tests. */
export function memoryDownloader(): MemoryDownloader {
  const answers = new Map<string, Download[]>();
  const asked: string[] = [];
  return {
    asked,
    serve: (url, ...served) => answers.set(url, [...served]),
    async download({ url, signal }) {
      signal.throwIfAborted();
      asked.push(url);
      const left = answers.get(url) ?? [];
      const [next = { type: "refused", status: 404 } as const] = left;
      if (left.length > 1) left.shift();
      return next;
    },
  };
}

/** A file that came. */
export function downloaded(bytes: Uint8Array): Download {
  return { type: "downloaded", bytes: [bytes], size: bytes.length };
}
