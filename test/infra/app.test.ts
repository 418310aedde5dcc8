import { Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { expect, test } from "vitest";
import { built, synthesized } from "./synthesized.ts";

test.each(["dev", "prod"])("cdk-nag has nothing to say about %s", (stage) => {
  const { app } = built(stage);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  expect(() => app.synth()).not.toThrow();
});

test("without a word about it the stage is dev", () => {
  expect(built().stateful.stackName).toBe("Plantain-dev-Stateful");
});

test("an unknown stage is refused with the list of those there are", () => {
  expect(() => built("staging")).toThrow(
    'Cannot use stage "staging": choose one of dev, prod, local, test, or add it to infra/stage.ts',
  );
});

// A difference here is what a deployment would change: read it, then accept it with `vitest run test/infra -u`.
test.each(["stateful", "stateless"] as const)("the %s stack of prod is as reviewed", (stack) => {
  // Without the hashes of the code, which change with every line of it.
  const template = JSON.stringify(synthesized("prod")[stack].toJSON());
  expect(JSON.parse(template.replaceAll(/[0-9a-f]{64}(?=\.zip")/g, "<code>"))).toMatchSnapshot();
});
