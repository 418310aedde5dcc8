const blockBytes = 65_536;

/** Bytes that were kept, in the order they came. */
export type Blocks = {
  readonly size: number;
  add(chunk: Uint8Array): void;
  /** All of them, in few pieces. */
  pieces(): readonly Uint8Array[];
};

/**
 * Keeps bytes in blocks of its own. What a socket hands out are views of larger buffers, with the framing between them: a
 * server that sends one byte in 64 KB of framing, or each byte by itself, would fill the memory with what nobody counts.
 */
export function blocks(): Blocks {
  const full: Uint8Array[] = [];
  let block = new Uint8Array(0);
  let filled = 0;
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(chunk) {
      size += chunk.length;
      for (let rest = chunk; rest.length > 0; ) {
        if (filled === block.length) {
          if (filled > 0) full.push(block);
          block = new Uint8Array(blockBytes);
          filled = 0;
        }
        const some = rest.subarray(0, block.length - filled);
        block.set(some, filled);
        filled += some.length;
        rest = rest.subarray(some.length);
      }
    },
    pieces: () => (filled > 0 ? [...full, block.subarray(0, filled)] : [...full]),
  };
}
