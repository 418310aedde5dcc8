export type ListingQuery = {
  readonly prefix: string;
  /** Empty for none. */
  readonly delimiter: string;
  /** The last item a caller has seen, a key or a common prefix; empty to begin. */
  readonly after: string;
  readonly limit: number;
};

export type Listing = {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  /** The last item when more follow. */
  readonly next?: string;
};

type KeyIndex = {
  add(key: string): void;
  remove(key: string): void;
  list(query: ListingQuery): Listing;
};

/** Keeps keys in S3's order, that of their UTF-8 bytes, so that a page costs what it holds and not what there is. */
export function createKeyIndex(initial: readonly string[]): KeyIndex {
  const keys = [...initial].sort(compareKeys);
  return {
    add(key) {
      const at = firstIndex(keys, (candidate) => compareKeys(candidate, key) >= 0);
      if (keys[at] !== key) keys.splice(at, 0, key);
    },
    remove(key) {
      const at = firstIndex(keys, (candidate) => compareKeys(candidate, key) >= 0);
      if (keys[at] === key) keys.splice(at, 1);
    },
    list: (query) => list(keys, query),
  };
}

/** Orders by UTF-8 bytes, which is by code point; plain comparison would put U+1F34C before U+FF5E. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for the code points above U+FFFF. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function list(keys: readonly string[], { prefix, delimiter, after, limit }: ListingQuery): Listing {
  const found: string[] = [];
  const prefixes: string[] = [];
  const start = compareKeys(after, prefix) < 0 ? prefix : after;
  let index = firstIndex(keys, (key) => compareKeys(key, start) >= 0);
  if (after !== "" && commonPrefix(after, prefix, delimiter) === after) index = pastPrefix(keys, after);
  else if (keys[index] === after) index++;
  let last: string | undefined;
  while (limit > 0) {
    const key = keys[index];
    if (!key?.startsWith(prefix)) break;
    if (found.length + prefixes.length === limit) {
      return { keys: found, prefixes, ...(last !== undefined && { next: last }) };
    }
    const common = commonPrefix(key, prefix, delimiter);
    if (common === undefined) {
      found.push(key);
      last = key;
      index++;
    } else {
      prefixes.push(common);
      last = common;
      index = pastPrefix(keys, common);
    }
  }
  return { keys: found, prefixes };
}

/** The part of `key` up to the first delimiter behind `prefix`, under which a listing rolls it up. */
function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === "" || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

function pastPrefix(keys: readonly string[], prefix: string): number {
  return firstIndex(keys, (key) => compareKeys(key, prefix) > 0 && !key.startsWith(prefix));
}

/** Binary search: the first index whose key `holds`, given that it then holds for all that follow. */
function firstIndex(keys: readonly string[], holds: (key: string) => boolean): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const key = keys[middle];
    if (key !== undefined && holds(key)) high = middle;
    else low = middle + 1;
  }
  return low;
}
