import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { mutants } from "./simulation/mutants/all.ts";

const root = resolve(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs/reliability.md"), "utf8");
const promises = page.slice(page.indexOf("## Promises"), page.indexOf("## The simulation"));
const tests = ["packages", "functions", "test"]
  .flatMap((place) =>
    readdirSync(join(root, place), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".test.ts") && !path.includes("node_modules"))
      .map((path) => readFileSync(join(root, place, path), "utf8")),
  )
  .join("\n");

describe("docs/reliability.md", () => {
  const named = [...promises.matchAll(/"([^"\n]{20,})"/g)].map(([, name = ""]) => name);

  it("names a test, a mutant or an invariant for each promise", () => {
    const rows = promises
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .slice(2);
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows) expect(row).toMatch(/"[^"]{8,}"|mutants? `|I\d/);
  });

  it("names tests that exist", () => {
    expect(named.filter((name) => !tests.includes(name))).toEqual([]);
  });

  it("names mutants that exist, and all that live alone", () => {
    const names = mutants.map(({ name }) => name);
    const told = [...page.matchAll(/`([a-z]+(?:-[a-z]+)+)`/g)].map(([, name = ""]) => name);
    expect(told.filter((name) => !names.includes(name))).toEqual([]);
    const masked = mutants.filter(({ fate }) => "maskedBy" in fate).map(({ name }) => name);
    expect(told).toEqual(expect.arrayContaining(masked));
  });
});
