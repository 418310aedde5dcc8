type ByteReader = {
  /** Resolves with the bytes before `delimiter` and drops it; throws `tooLong()` once `limit` bytes hold none. */
  until(delimiter: Buffer, limit: number, tooLong: () => Error): Promise<Buffer>;
  /** Yields exactly `length` bytes. */
  take(length: number): AsyncGenerator<Buffer>;
  /** Yields the bytes before `delimiter`, however many, and drops it. */
  streamUntil(delimiter: Buffer): AsyncGenerator<Buffer>;
  /** True when nothing is left. */
  ended(): Promise<boolean>;
  /** Gives the source back; needed also after an error, else the rest of a request cannot be drained. */
  close(): Promise<void>;
};

/** Cuts a stream of bytes of any chunking into lines, lengths and parts; `truncated()` is thrown when it ends early. */
export function createByteReader(source: AsyncIterable<Buffer>, truncated: () => Error): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let pending: Buffer = Buffer.alloc(0);

  async function fill(): Promise<boolean> {
    const next = await iterator.next();
    if (next.done === true) return false;
    pending = pending.length === 0 ? next.value : Buffer.concat([pending, next.value]);
    return true;
  }

  return {
    async until(delimiter, limit, tooLong) {
      for (;;) {
        const found = pending.indexOf(delimiter);
        if (found > limit || (found < 0 && pending.length > limit + delimiter.length)) throw tooLong();
        if (found >= 0) {
          const bytes = pending.subarray(0, found);
          pending = pending.subarray(found + delimiter.length);
          return bytes;
        }
        if (!(await fill())) throw truncated();
      }
    },

    async *take(length) {
      for (let left = length; left > 0; ) {
        if (pending.length === 0 && !(await fill())) throw truncated();
        const bytes = pending.subarray(0, left);
        pending = pending.subarray(bytes.length);
        left -= bytes.length;
        if (bytes.length > 0) yield bytes;
      }
    },

    async *streamUntil(delimiter) {
      for (;;) {
        const found = pending.indexOf(delimiter);
        if (found >= 0) {
          const last = pending.subarray(0, found);
          pending = pending.subarray(found + delimiter.length);
          if (last.length > 0) yield last;
          return;
        }
        // The tail may be the beginning of a delimiter that the next chunk completes.
        const certain = pending.length - delimiter.length + 1;
        if (certain > 0) {
          const bytes = pending.subarray(0, certain);
          pending = pending.subarray(certain);
          yield bytes;
        }
        if (!(await fill())) throw truncated();
      }
    },

    async ended() {
      while (pending.length === 0) if (!(await fill())) return true;
      return false;
    },

    async close() {
      await iterator.return?.();
    },
  };
}
