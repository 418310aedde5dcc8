import { execFileSync } from "node:child_process";
import { copyFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import manifest from "./package.json" with { type: "json" };

/*
 * Makes the package that users install, in JavaScript: Node 20 reads no TypeScript, and no Node reads it below node_modules.
 */

const here = import.meta.dirname;
const root = resolve(here, "../..");
const out = resolve(process.argv[2] ?? join(here, "dist"));

rmSync(out, { recursive: true, force: true });
const names = readdirSync(join(here, "src")).filter((name) => !/\.(test|fixture)\.ts$/.test(name));
const options = {
  ignoreConfig: "true",
  outDir: out,
  target: "es2023",
  lib: "es2024",
  types: "node",
  module: "nodenext",
  declaration: "true",
  rewriteRelativeImportExtensions: "true",
  exactOptionalPropertyTypes: "true",
  skipLibCheck: "true",
};
const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
const compiler = join(root, "node_modules/typescript/bin/tsc");
execFileSync(process.execPath, [compiler, ...flags, ...names.map((name) => join(here, "src", name))], {
  cwd: root,
  stdio: "inherit",
});

const { name, version, license, type, engines } = manifest;
const exports = { "./*": { types: "./*.d.ts", default: "./*.js" } };
const about = { name, version, license, type, engines, exports };
writeFileSync(join(out, "package.json"), `${JSON.stringify(about, null, 2)}\n`);
copyFileSync(join(root, "LICENSE"), join(out, "LICENSE"));
