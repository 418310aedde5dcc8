import { App, type AppProps } from "aws-cdk-lib";
import cdk from "../cdk.json" with { type: "json" };
import { stageNamed } from "./stage.ts";
import { StatefulStack } from "./stateful-stack.ts";
import { StatelessStack } from "./stateless-stack.ts";

/** The app with the two stacks of one stage. */
export interface Plantain {
  readonly app: App;
  readonly stateful: StatefulStack;
  readonly stateless: StatelessStack;
}

/**
 * Builds the stacks of the stage that the CDK context names, `dev` if it names none. Throws for an unknown stage.
 * The feature flags are taken from cdk.json also where no CDK CLI reads it, so that all ways lead to the same template.
 */
export function plantain(props: AppProps = {}): Plantain {
  const app = new App({
    analyticsReporting: false,
    ...props,
    context: { ...cdk.context, ...props.context },
  });
  const named: unknown = app.node.tryGetContext("stage") ?? "dev";
  const stage = stageNamed(String(named));
  const stateful = new StatefulStack(app, `Plantain-${stage.name}-Stateful`, stage);
  const stateless = new StatelessStack(app, `Plantain-${stage.name}-Stateless`, { stage, data: stateful });
  return { app, stateful, stateless };
}
