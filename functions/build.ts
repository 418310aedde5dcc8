import { join } from "node:path";
import { build, type Plugin } from "esbuild";

/** Every deployed function: `functions/<name>/handler.ts` becomes `dist/<name>/handler.mjs`. */
const functionNames = ["api", "worker", "deliver", "sweep"] as const;

const root = join(import.meta.dirname, "..");

/**
 * Bundles all functions at once into `dist/`, each with its source map beside it.
 * Throws what esbuild throws: its message lists file, line and cause.
 */
export async function buildFunctions(): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(
      functionNames.map((name) => [`${name}/handler`, `functions/${name}/handler.ts`]),
    ),
    outdir: "dist",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minify: true,
    sourcemap: "external",
    legalComments: "none",
    // The SDK's ES modules start a third faster than its CommonJS ones, which esbuild prefers for Node.
    mainFields: ["module", "main"],
    // CommonJS inside the bundle calls `require`, which an ES module does not have.
    banner: { js: 'const require=process.getBuiltinModule("module").createRequire(import.meta.url);' },
    plugins: [withoutSideEffects],
    logLevel: "warning",
  });
}

/** `@google/genai` doesn't say that importing it does nothing, so it would come along where nothing of it is used. */
const withoutSideEffects: Plugin = {
  name: "without-side-effects",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^@google\/genai/ }, async ({ path, pluginData, ...args }) => {
      if (pluginData === "resolving") return;
      const found = await resolve(path, { ...args, pluginData: "resolving" });
      return { ...found, sideEffects: false };
    });
  },
};

if (import.meta.main) await buildFunctions();
