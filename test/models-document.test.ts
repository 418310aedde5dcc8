import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { models, retiredModels } from "@plantain/core/model/models";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const page = readFileSync(join(root, "docs/models.md"), "utf8");
const tests = ["packages", "functions", "test"]
  .flatMap((place) =>
    readdirSync(join(root, place), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".test.ts") && !path.includes("node_modules"))
      .map((path) => readFileSync(join(root, place, path), "utf8")),
  )
  .join("\n");

describe("docs/models.md", () => {
  const named = [...page.matchAll(/"([^"\n]{12,})"/g)]
    .map(([, name = ""]) => name)
    .filter((name) => /\s/.test(name));

  it("names a test for each ability", () => {
    expect(named.length).toBeGreaterThan(13);
  });

  it.each(named.filter((name) => !name.includes("{")))("names a test that exists: %j", (name) => {
    expect(tests).toContain(`"${name}"`);
  });

  it.each([...models, ...retiredModels])("tells of $id", ({ id }) => {
    expect(page).toContain(`\`${id}\``);
  });

  it.each(models)("tells the limits of $id as the registry has them", (model) => {
    const column = columnOf(model.id);
    expect(column("aspect ratios")).toBe(String(model.aspectRatios.length));
    expect(column("reference images")).toBe(String(model.maxReferenceImages));
    if (model.imageSizes.length > 0) expect(column("sizes")).toBe(model.imageSizes.join(" "));
    if (model.thinking.length > 0) expect(column("thinking")).toBe(model.thinking.join(", "));
    expect(column("web search")).toBe(model.grounding.web ? "yes" : "no");
    expect(column("image search")).toBe(model.grounding.images ? "yes" : "no");
    expect(column("also called")).toBe(model.aliases.map((alias) => `\`${alias}\``).join(", "));
  });
});

/** The cells of a model's column, by the name of their row. */
function columnOf(id: string): (row: string) => string | undefined {
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  const at = rows[0]?.indexOf(`\`${id}\``) ?? -1;
  return (row) => rows.find(([, name]) => name === row)?.[at];
}
