import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/** A change to the text of one file: `find` has to be there exactly once. */
export type Change = { readonly file: string; readonly find: string; readonly replace: string };

/** Sources with something changed, in a folder of their own, where they run as they are. */
export type Copy = {
  /** The copy of this very folder. */
  readonly simulation: string;
  remove(): Promise<void>;
};

const root = resolve(import.meta.dirname, "../..");

/** What a simulation consists of. */
const parts = [
  "package.json",
  "packages/core/package.json",
  "packages/core/src",
  "packages/memory/package.json",
  "packages/memory/src",
  "functions/api/read-job.ts",
  "functions/runtime/sqs-batch.ts",
  "test/simulation",
];

/**
 * Copies everything that a simulation consists of and changes it there, so that a mutant can be anywhere in it.
 * @throws Error when a change doesn't find its text exactly once: then the mutant has to follow the code
 */
export async function mutatedCopy(changes: readonly Change[]): Promise<Copy> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), "plantain-mutant-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    for (const part of parts) {
      await mkdir(dirname(join(folder, part)), { recursive: true });
      await cp(join(root, part), join(folder, part), {
        recursive: true,
        filter: (path) => !path.endsWith(".test.ts") && !path.includes("node_modules"),
      });
    }
    await mkdir(join(folder, "node_modules/@plantain"), { recursive: true });
    await symlink(join(root, "node_modules/zod"), join(folder, "node_modules/zod"));
    for (const name of ["core", "memory"])
      await symlink(join(folder, "packages", name), join(folder, "node_modules/@plantain", name));
    for (const change of changes) await apply(folder, change);
    return { simulation: join(folder, "test/simulation"), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function apply(folder: string, { file, find, replace }: Change): Promise<void> {
  const path = join(folder, file);
  const text = await readFile(path, "utf8");
  const times = text.split(find).length - 1;
  if (times !== 1)
    throw new Error(`Cannot mutate ${file}: its text has ${JSON.stringify(find)} ${times} times, not once`);
  await writeFile(
    path,
    text.replace(find, () => replace),
  );
}
