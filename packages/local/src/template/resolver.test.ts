// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these placeholders are CloudFormation's
import { describe, expect, test } from "vitest";
import { places, writeAssembly } from "./assembly.fixture.ts";
import { readAssembly } from "./assembly.ts";
import { createResolver } from "./resolver.ts";

const assembly = readAssembly(
  writeAssembly({
    Data: {
      resources: {
        Jobs: { Type: "AWS::DynamoDB::GlobalTable" },
        Named: {
          Type: "AWS::DynamoDB::Table",
          Properties: { TableName: { "Fn::Sub": "${AWS::StackName}-t" } },
        },
        Images: { Type: "AWS::S3::Bucket" },
      },
      outputs: {
        JobsName: { Value: { Ref: "Jobs" }, Export: { Name: { "Fn::Sub": "${AWS::StackName}:Jobs" } } },
      },
    },
    Code: {
      resources: {
        Here: { Type: "AWS::Lambda::Function" },
        Queue: { Type: "AWS::SQS::Queue" },
        Alarm: { Type: "AWS::CloudWatch::Alarm" },
        Api: { Type: "AWS::ApiGatewayV2::Api" },
      },
      parameters: {
        Plain: { Type: "String", Default: "given" },
        Bootstrap: { Type: "AWS::SSM::Parameter::Value<String>", Default: "/a/name" },
      },
    },
  }),
);
const here = {
  stack: "Code",
  id: "Here",
  type: "AWS::Lambda::Function",
  properties: {},
  condition: undefined,
};
const { resolve } = createResolver(assembly, places);
const resolved = (value: unknown) => resolve(value, here);

describe("references", () => {
  test.each([
    ["a queue by its local URL", { Ref: "Queue" }, "http://127.0.0.1:1001/000000000000/Code-Queue"],
    ["an ARN", { "Fn::GetAtt": ["Queue", "Arn"] }, "arn:aws:sqs:us-east-1:000000000000:Code-Queue"],
    ["an attribute in dotted form", { "Fn::GetAtt": "Queue.QueueName" }, "Code-Queue"],
    ["the address of the API", { "Fn::GetAtt": ["Api", "ApiEndpoint"] }, "http://127.0.0.1:1002"],
    ["a parameter by its default", { Ref: "Plain" }, "given"],
    [
      "the region and the account",
      { "Fn::Join": ["/", [{ Ref: "AWS::Region" }, { Ref: "AWS::AccountId" }]] },
      "us-east-1/000000000000",
    ],
    [
      "names, attributes and own values in a text",
      { "Fn::Sub": ["${Queue.Arn} ${own} ${!kept}", { own: { Ref: "Plain" } }] },
      "arn:aws:sqs:us-east-1:000000000000:Code-Queue given ${kept}",
    ],
    [
      "a part of a split text",
      { "Fn::Select": [5, { "Fn::Split": [":", { "Fn::GetAtt": ["Queue", "Arn"] }] }] },
      "Code-Queue",
    ],
    [
      "an output of another stack",
      { "Fn::GetStackOutput": { StackName: "Data", OutputName: "JobsName" } },
      "Data-Jobs",
    ],
    ["an exported value of another stack", { "Fn::ImportValue": "Data:Jobs" }, "Data-Jobs"],
    ["references deep inside", { a: [{ b: { Ref: "Plain" } }] }, { a: [{ b: "given" }] }],
    ["no value at all", { a: { Ref: "AWS::NoValue" }, b: [1, { Ref: "AWS::NoValue" }] }, { b: [1] }],
  ])("resolve %s", (_what, value, expected) => {
    expect(resolved(value)).toEqual(expected);
  });

  test("take a physical name, itself resolved, where the template gives one", () => {
    const inData = { ...here, stack: "Data" };
    expect(resolve({ Ref: "Named" }, inData)).toBe("Data-t");
  });

  test("name buckets as S3 allows", () => {
    expect(resolve({ Ref: "Images" }, { ...here, stack: "Data" })).toBe("data-images");
  });
});

describe("what cannot be resolved stops the start, naming the resource:", () => {
  test.each([
    ["an unknown resource", { Ref: "Nowhere" }, 'it refers to "Nowhere", which is not in stack "Code"'],
    [
      "a type without a counterpart",
      { Ref: "Alarm" },
      '"Code/Alarm" (AWS::CloudWatch::Alarm) locally: something refers to it',
    ],
    [
      "an unknown attribute",
      { "Fn::GetAtt": ["Queue", "Colour"] },
      'attribute "Colour" of "Queue" is not known (known: Arn, QueueName)',
    ],
    ["an unknown function", { "Fn::If": ["a", 1, 2] }, "Fn::If is not known; teach packages/local"],
    ["a parameter without a plain default", { Ref: "Bootstrap" }, 'parameter "Bootstrap" has no default'],
    [
      "an output that is not there",
      { "Fn::GetStackOutput": { StackName: "Data", OutputName: "X" } },
      'output "X" of stack "Data"',
    ],
    ["an import that nobody exports", { "Fn::ImportValue": "X" }, 'imports "X", which no stack'],
    ["malformed arguments", { "Fn::Join": "oops" }, 'Fn::Join has unexpected arguments "oops"'],
  ])("%s", (_what, value, message) => {
    expect(() => resolved(value)).toThrow(message);
    expect(() => resolved(value)).toThrow(/^Cannot run "Code\//);
  });
});
