import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { usage } from "./flags.ts";
import { overrides } from "./overrides.ts";
import { ignoredTypes, supportedTypes } from "./template/resource-types.ts";

const text = readFileSync(new URL("../../../docs/local.md", import.meta.url), "utf8");

/** The table under a heading of docs/local.md, first column to second, without the code marks of the first. */
function table(heading: string): Record<string, string> {
  const [, section = ""] = text.split(`\n## ${heading}\n`);
  const rows =
    section
      .split("\n## ")[0]
      ?.match(/^\|.*\|$/gm)
      ?.slice(2) ?? [];
  return Object.fromEntries(
    rows.map((row) => {
      const [name = "", value = ""] = row.slice(1, -1).split(" | ");
      return [name.trim().replaceAll("`", ""), value.trim()];
    }),
  );
}

test("docs/local.md lists exactly the overrides there are", () => {
  expect(table("Overrides")).toEqual(overrides);
});

test("docs/local.md lists exactly the types that run, with the properties that mean nothing locally", () => {
  const listed = Object.entries(supportedTypes).map(([type, properties]) => [
    type,
    properties.map((property) => `\`${property}\``).join(", "),
  ]);
  expect(table("Types that run")).toEqual(Object.fromEntries(listed));
});

test("docs/local.md lists exactly the types that are skipped, each with its reason", () => {
  expect(table("Types that are skipped")).toEqual(ignoredTypes);
});

test("docs/local.md explains exactly the flags there are", () => {
  const flags = usage.match(/--[a-z-]+(?= )/g) ?? [];
  expect(new Set(Object.keys(table("Flags")).map((flag) => flag.split(" ")[0]))).toEqual(
    new Set(flags.filter((flag) => flag !== "--")),
  );
});
