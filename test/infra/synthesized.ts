import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Plantain, plantain } from "@plantain/infra/plantain";
import { Template } from "aws-cdk-lib/assertions";
import { afterAll } from "vitest";

// CDK's own checks take seconds and belong to `cdk synth`.
process.env.CDK_VALIDATION = "false";

const folder = mkdtempSync(join(tmpdir(), "plantain-infra-test-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The app of a stage, or of whichever is the default. Needs the bundles in `dist/`, as any synth does. */
export function built(stage?: string): Plantain {
  return plantain({
    outdir: mkdtempSync(join(folder, "out-")),
    ...(stage === undefined ? {} : { context: { stage } }),
  });
}

/** The templates of both stacks of a stage. */
export function synthesized(stage: string): { stateful: Template; stateless: Template } {
  const { stateful, stateless } = built(stage);
  return { stateful: Template.fromStack(stateful), stateless: Template.fromStack(stateless) };
}
