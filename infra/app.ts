/**
 * Synthesizes one stage into a cloud assembly.
 *
 * With the CDK CLI, for AWS:     npx cdk synth|diff|deploy --all -c stage=prod
 * Without it, for one machine:   CDK_CONTEXT_JSON='{"stage":"local"}' CDK_OUTDIR=cdk.out CDK_VALIDATION=false node infra/app.ts
 *
 * Both give the same resources, outputs and asset hashes. `CDK_VALIDATION=false` skips CDK's own checks and cdk-nag, which take most of the time;
 * code is found through `<stack>.assets.json`. The bundles must be there: `npm run build`.
 */
import { Validations } from "aws-cdk-lib";
import { plantain } from "./plantain.ts";

const { app } = plantain();
if (process.env.CDK_VALIDATION !== "false") {
  const { AwsSolutionsChecks } = await import("cdk-nag");
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
app.synth();
