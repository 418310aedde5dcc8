import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { account, region } from "../aws/access.ts";

export type FixtureResource = { Type: string; Properties?: object; Condition?: string };

export type FixtureStack = {
  readonly resources: Readonly<Record<string, FixtureResource>>;
  readonly outputs?: Readonly<Record<string, object>>;
  readonly parameters?: Readonly<Record<string, object>>;
  /** Source of `handler.mjs` by asset hash. */
  readonly handlers?: Readonly<Record<string, string>>;
};

export const places = { region, account, sqs: "http://127.0.0.1:1001", front: "http://127.0.0.1:1002" };

const written: string[] = [];
afterAll(() => {
  for (const folder of written) rmSync(folder, { recursive: true });
});

/** Writes a cloud assembly as CDK does, and gives its folder, which goes when the file's tests are over. */
export function writeAssembly(stacks: Readonly<Record<string, FixtureStack>>): string {
  const folder = mkdtempSync(join(tmpdir(), "plantain-fixture-"));
  written.push(folder);
  const artifacts: Record<string, object> = {};
  for (const [name, { resources, outputs = {}, parameters = {}, handlers = {} }] of Object.entries(stacks)) {
    const files: Record<string, object> = {};
    for (const [hash, source] of Object.entries(handlers)) {
      mkdirSync(join(folder, `asset.${hash}`));
      writeFileSync(join(folder, `asset.${hash}`, "handler.mjs"), source);
      files[hash] = { source: { path: `asset.${hash}`, packaging: "zip" } };
    }
    write(join(folder, `${name}.template.json`), {
      Resources: resources,
      Outputs: outputs,
      Parameters: parameters,
    });
    write(join(folder, `${name}.assets.json`), { version: "55.0.0", files });
    artifacts[`${name}.assets`] = {
      type: "cdk:asset-manifest",
      properties: { file: `${name}.assets.json` },
    };
    artifacts[name] = {
      type: "aws:cloudformation:stack",
      properties: { templateFile: `${name}.template.json` },
      dependencies: [`${name}.assets`],
    };
  }
  write(join(folder, "manifest.json"), { version: "55.0.0", artifacts });
  return folder;
}

/** A function with the handler of that asset. */
export function lambda(hash: string, properties: object = {}): FixtureResource {
  return {
    Type: "AWS::Lambda::Function",
    Properties: {
      Code: { S3Bucket: "assets", S3Key: `${hash}.zip` },
      Handler: "handler.handler",
      Runtime: "nodejs24.x",
      Role: { "Fn::GetAtt": ["Role", "Arn"] },
      ...properties,
    },
  };
}

/** An HTTP API whose every request goes to the function with that logical id. */
export function httpApi(functionId: string): Record<string, FixtureResource> {
  const ApiId = { Ref: "Api" };
  return {
    Api: { Type: "AWS::ApiGatewayV2::Api", Properties: { Name: "Api", ProtocolType: "HTTP" } },
    Integration: {
      Type: "AWS::ApiGatewayV2::Integration",
      Properties: {
        ApiId,
        IntegrationType: "AWS_PROXY",
        IntegrationUri: { "Fn::GetAtt": [functionId, "Arn"] },
        PayloadFormatVersion: "2.0",
      },
    },
    Route: {
      Type: "AWS::ApiGatewayV2::Route",
      Properties: {
        ApiId,
        RouteKey: "$default",
        Target: { "Fn::Join": ["", ["integrations/", { Ref: "Integration" }]] },
      },
    },
    Stage: {
      Type: "AWS::ApiGatewayV2::Stage",
      Properties: { ApiId, StageName: "$default", AutoDeploy: true },
    },
  };
}

function write(path: string, content: object): void {
  writeFileSync(path, JSON.stringify(content));
}
