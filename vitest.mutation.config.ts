import { defineConfig } from "vitest/config";

/** What Stryker runs: the core's own tests and those of the API, which go through the core. */
export default defineConfig({
  test: { include: ["packages/core/**/*.test.ts", "functions/api/*.test.ts"] },
});
