import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** A change to the text of a file of `packages/http/src`: `find` has to be there exactly once. */
export type Change = { readonly file: string; readonly find: string; readonly replace: string };

const root = resolve(import.meta.dirname, "../..");
const parts = ["package.json", "packages/http/package.json", "packages/http/src", "test/ssrf"];
const dependencies = ["ipaddr.js", "undici", "zod"];

/**
 * Copies the client with these cases, changes it there, and lets `use` have the copy's `run.ts`.
 * @throws Error when a change doesn't find its text exactly once: then the mutant has to follow the code
 */
export async function withMutant<T>(
  changes: readonly Change[],
  use: (run: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), "plantain-ssrf-"));
  try {
    for (const part of parts) await cp(join(root, part), join(folder, part), { recursive: true });
    await mkdir(join(folder, "node_modules/@plantain"), { recursive: true });
    await symlink(join(folder, "packages/http"), join(folder, "node_modules/@plantain/http"));
    for (const name of dependencies)
      await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
    for (const change of changes) await apply(join(folder, "packages/http/src"), change);
    return await use(join(folder, "test/ssrf/run.ts"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function apply(sources: string, { file, find, replace }: Change): Promise<void> {
  const path = join(sources, file);
  const [before, after, ...more] = (await readFile(path, "utf8")).split(find);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`Cannot mutate ${file}: its text doesn't have ${JSON.stringify(find)} exactly once`);
  await writeFile(path, before + replace + after);
}
