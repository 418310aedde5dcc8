import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{packages,functions,infra,test}/**/*.test.ts"],
    env: { CDK_VALIDATION: "false" },
  },
});
