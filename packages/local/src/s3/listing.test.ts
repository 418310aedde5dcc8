import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareKeys, createKeyIndex, type Listing, type ListingQuery } from "./listing.ts";

/** Lists the slow and obvious way: every key in order, rolled up, then cut. */
function listNaively(keys: readonly string[], { prefix, delimiter, after, limit }: ListingQuery): Listing {
  const items = new Map<string, "key" | "prefix">();
  for (const key of [...new Set(keys)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    if (!key.startsWith(prefix)) continue;
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (at < 0) items.set(key, "key");
    else items.set(key.slice(0, at + delimiter.length), "prefix");
  }
  const rest = [...items].filter(([item, kind]) => {
    const order = Buffer.compare(Buffer.from(item), Buffer.from(after));
    // A key to begin after may lie inside a common prefix, of which then more may follow.
    return (
      order > 0 ||
      (kind === "prefix" &&
        order < 0 &&
        keys.some((key) => key.startsWith(item) && Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0))
    );
  });
  const page = rest.slice(0, limit);
  const last = page.at(-1)?.[0];
  return {
    keys: page.filter(([, kind]) => kind === "key").map(([item]) => item),
    prefixes: page.filter(([, kind]) => kind === "prefix").map(([item]) => item),
    ...(rest.length > limit && last !== undefined && { next: last }),
  };
}

const text = (max: number) =>
  fc
    .array(fc.constantFrom("a", "b", "/", "~", "é", "\uff5e", "🍌"), { maxLength: max })
    .map((parts) => parts.join(""));

test("pages are the same as those of the naive listing, whatever the keys", () => {
  fc.assert(
    fc.property(
      fc.array(text(6).filter((key) => key !== "")),
      fc.record({
        prefix: text(2),
        delimiter: fc.constantFrom("", "/", "🍌", "a/"),
        after: text(3),
        limit: fc.nat({ max: 5 }),
      }),
      (keys, query) => {
        const index = createKeyIndex([]);
        for (const key of keys) index.add(key);
        expect(index.list(query)).toEqual(listNaively(keys, query));
      },
    ),
    { numRuns: 2000 },
  );
});

test("following the pages visits everything exactly once", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(text(5).filter((key) => key !== "")),
      fc.integer({ min: 1, max: 4 }),
      (keys, limit) => {
        const index = createKeyIndex(keys);
        const seen: string[] = [];
        let after: string | undefined = "";
        while (after !== undefined) {
          const page: Listing = index.list({ prefix: "", delimiter: "/", after, limit });
          seen.push(...page.keys, ...page.prefixes);
          after = page.next;
        }
        const all = index.list({ prefix: "", delimiter: "/", after: "", limit: 1e6 });
        expect(seen.sort()).toEqual([...all.keys, ...all.prefixes].sort());
      },
    ),
  );
});

test("keys are ordered by their UTF-8 bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
      expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test("adding twice keeps one, removing leaves none", () => {
  const index = createKeyIndex(["b"]);
  index.add("a");
  index.add("a");
  index.remove("b");
  index.remove("never there");
  expect(index.list({ prefix: "", delimiter: "", after: "", limit: 10 }).keys).toEqual(["a"]);
});
