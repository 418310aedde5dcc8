import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/*
 * The dependency rule: functions → {aws, gemini, http} → core → zod. npm hoists packages, so a wrong import would work;
 * this is the fence.
 */

const root = resolve(import.meta.dirname, "..");

/** What each place may import beside its own files, as prefixes. `node:` means Node's own modules. */
const allowed: Record<string, readonly string[]> = {
  "packages/core": ["zod"],
  "packages/aws": ["zod", "node:", "@aws-sdk/", "@plantain/core/"],
  "packages/gemini": ["zod", "node:", "@google/genai", "@plantain/core/"],
  "packages/http": ["node:", "undici", "ipaddr.js", "@plantain/core/"],
  "packages/memory": ["node:", "@plantain/core/"],
  "packages/local": [
    "zod",
    "node:",
    "@aws-sdk/",
    "@napi-rs/canvas",
    "dejavu-fonts-ttf",
    "fauxqs",
    "@plantain/core/",
    "@plantain/aws/",
  ],
  // Users install it alone: nothing of ours, and nothing to install beside it
  "packages/client": ["node:"],
  functions: [
    "zod",
    "node:",
    "hono",
    "aws-lambda",
    "esbuild",
    "@plantain/core/",
    "@plantain/aws/",
    "@plantain/gemini/",
    "@plantain/http/",
  ],
  infra: ["zod", "node:", "aws-cdk-lib", "cdk-nag", "constructs", "@plantain/aws/table"],
  examples: ["node:", "hono", "@hono/node-server", "express", "@plantain/client/"],
};

/** The files of core that may use Node's cryptography, for what follows from its arguments alone. */
const mayHash = ["packages/core/src/hash.ts", "packages/core/src/webhook/signature.ts"];

/** `isType`: nothing of it is there when the code runs. */
type Import = { specifier: string; isType: boolean };
type Source = { path: string; place: string; imports: Import[]; text: string };

const sources = Object.keys(allowed).flatMap((place) =>
  readdirSync(join(root, place), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.includes("node_modules"))
    .filter((path) => !/\.test\.ts$|\.fixture\.ts$|(^|\/)test-[^/]*\.ts$|\/fixtures\//.test(path))
    .map((path) => readSource(place, join(place, path))),
);

function readSource(place: string, path: string): Source {
  const text = readFileSync(join(root, path), "utf8");
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?[^"';]*?from\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  );
  const imports = [...statements].map(([, type, from, dynamic]) => ({
    specifier: from ?? dynamic ?? "",
    isType: type !== undefined,
  }));
  return { path, place, imports, text };
}

/** The file of this repository that an import names, if it is one. */
function target({ path }: Source, { specifier }: Import): string | undefined {
  if (specifier.startsWith(".")) return join(dirname(path), specifier);
  const [, name, rest] = /^@plantain\/([^/]+)\/(.+)$/.exec(specifier) ?? [];
  return name && rest ? `packages/${name}/src/${rest}.ts` : undefined;
}

describe("the dependency rule", () => {
  it("sees the whole repository", () => {
    expect(sources.length).toBeGreaterThan(80);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(200);
  });

  it.each(sources.map((source) => [source.path, source] as const))(
    "%s imports only what its place may",
    (_path, source) => {
      for (const { specifier } of source.imports) {
        const isOwn = specifier.startsWith(".") && isWithin(source, specifier);
        const isAllowed = (allowed[source.place] ?? []).some(
          (prefix) => specifier === prefix || specifier.startsWith(prefix),
        );
        const isHash = mayHash.includes(source.path) && specifier === "node:crypto";
        const isFlags = source.path === "infra/plantain.ts" && specifier === "../cdk.json";
        expect(isOwn || isAllowed || isHash || isFlags, `${source.path} imports ${specifier}`).toBe(true);
      }
    },
  );

  it("lets the simulator be a witness of its own: it knows nothing of our registry", () => {
    const simulator = sources.filter(({ path }) => path.startsWith("packages/local/src/simulator/"));
    expect(simulator.length).toBeGreaterThan(10);
    for (const { path, imports } of simulator) {
      for (const { specifier } of imports) expect(specifier, path).not.toContain("@plantain/");
    }
  });

  it("loads undici, which takes over the process's own HTTP stack, in the functions alone that request users' URLs", () => {
    const handlers = sources.filter(({ path }) => /^functions\/[^/]+\/handler\.ts$/.test(path));
    expect(handlers).toHaveLength(4);
    const loading = handlers.filter((handler) => loadedBy(handler).has("undici"));
    expect(loading.map(({ path }) => path)).toEqual([
      "functions/deliver/handler.ts",
      "functions/worker/handler.ts",
    ]);
  });

  it("makes jobs in one place, so that none ends without being announced", () => {
    const makers = sources.filter(({ text }) => /\bdynamoJobs\(/.test(text)).map(({ path }) => path);
    // `deliver` reads them alone
    const known = [
      "packages/aws/src/dynamo-jobs.ts",
      "functions/runtime/compose-deliver.ts",
      "functions/runtime/compose.ts",
    ];
    expect(new Set(makers)).toEqual(new Set(known));
    const compose = sources.find(({ path }) => path === "functions/runtime/compose.ts")?.text ?? "";
    expect(compose.match(/\bdynamoJobs\(/g)).toHaveLength(1);
    expect(compose).toMatch(/announcing\(\s*dynamoJobs\(/);
  });

  it("leaves the in-memory ports to tests", () => {
    const users = sources.filter(
      ({ place, imports }) =>
        place !== "packages/memory" &&
        imports.some(({ specifier }) => specifier.startsWith("@plantain/memory/")),
    );
    expect(users.map(({ path }) => path)).toEqual([]);
  });
});

/** What a file imports when it runs, directly or not. */
function loadedBy(source: Source, loaded = new Set<string>()): Set<string> {
  for (const each of source.imports) {
    const found = target(source, each);
    if (each.isType || loaded.has(found ?? each.specifier)) continue;
    loaded.add(found ?? each.specifier);
    const next = sources.find(({ path }) => path === found);
    if (next) loadedBy(next, loaded);
  }
  return loaded;
}

function isWithin({ place, path }: Source, specifier: string): boolean {
  return !relative(place, join(dirname(path), specifier)).startsWith("..");
}

describe("core", () => {
  it.each(
    sources.filter(({ place }) => place === "packages/core").map((source) => [source.path, source] as const),
  )("%s takes time, randomness and everything outside as arguments", (_path, { text }) => {
    const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(code).not.toMatch(
      /Date\.now|new Date\(|Math\.random|randomUUID|getRandomValues|process\.|setTimeout|setInterval|AbortSignal\.timeout|\bfetch\(/,
    );
  });
});

describe("the file tree", () => {
  it("has no circle of imports", () => {
    const byPath = new Map(sources.map((source) => [source.path, source]));
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path))
        throw new Error(`Circle: ${[...trail.slice(trail.indexOf(path)), path].join(" → ")}`);
      const source = byPath.get(path);
      if (!source || done.has(path)) return;
      for (const each of source.imports) {
        const next = target(source, each);
        if (next) visit(next, [...trail, path]);
      }
      done.add(path);
    };
    for (const path of byPath.keys()) visit(path, []);
  });

  it("has no barrels, no utils, and no file that nobody could read in one sitting", () => {
    for (const { path, text } of sources) {
      expect(path).not.toMatch(/(^|\/)(index|utils?|helpers?|common|misc)(\.ts|\/)/);
      expect(text.split("\n").length, `${path} is long`).toBeLessThanOrEqual(301);
    }
  });
});
