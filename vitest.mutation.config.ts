import { defineConfig } from "vitest/config";

/** What Stryker runs: the core's own tests. Others reach the core through its package, which isn't mutated. */
export default defineConfig({ test: { include: ["packages/core/**/*.test.ts"] } });
