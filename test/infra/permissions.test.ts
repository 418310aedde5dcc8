import { describe, expect, test } from "vitest";
import * as z from "zod";
import { synthesized } from "./synthesized.ts";

const many = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item)]).transform((value) => [value].flat());

const Policy = z.object({
  Properties: z.object({
    Roles: z.tuple([z.object({ Ref: z.string() })]),
    PolicyDocument: z.object({
      Statement: z.array(
        z.object({
          Effect: z.string(),
          Action: many(z.string()),
          Resource: many(z.unknown()).transform((resources) => resources.map((each) => JSON.stringify(each))),
          Condition: z.unknown().optional(),
        }),
      ),
    }),
  }),
});

const policies = Object.values(synthesized("prod").stateless.findResources("AWS::IAM::Policy")).map(
  (policy) => Policy.parse(policy).Properties,
);

/** What the role of a function may do: statements whose actions start with `service`. */
function allowed(role: "Api" | "Worker" | "Deliver" | "Sweep" | "Sweeping", service = "") {
  return policies
    .filter(({ Roles: [{ Ref }] }) => new RegExp(`^${role}Role[0-9A-F]{8}$`).test(Ref))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .filter(({ Action }) => Action.some((action) => action.startsWith(service)));
}

const actions = (...args: Parameters<typeof allowed>) => allowed(...args).flatMap(({ Action }) => Action);
const everything = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

const ofEndpoints = { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["ENDPOINTS#*"] } };

describe("permissions", () => {
  test("name their actions and resources", () => {
    expect(policies).toHaveLength(5);
    for (const { Effect, Action, Resource } of everything) {
      expect(Effect).toBe("Allow");
      expect(Action.filter((action) => action.includes("*"))).toEqual([]);
      // A wildcard only ever stands for the keys below one folder of the bucket.
      for (const resource of Resource)
        expect(resource.replace(/"\/(in|meta|out)\/\*"/, "")).not.toContain("*");
    }
  });

  test("let nobody delete items or objects, but the API endpoints, and the sweep what deleted jobs have left", () => {
    const deleting = everything.filter(({ Action }) =>
      Action.some((each) => /Delete(Item|Object)/.test(each)),
    );
    const ofJobs = { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["JOB#*"] } };
    expect(deleting).toHaveLength(3);
    expect(allowed("Api", "dynamodb:DeleteItem")).toMatchObject([{ Condition: ofEndpoints }]);
    expect(allowed("Sweep", "dynamodb:DeleteItem")).toMatchObject([{ Condition: ofJobs }]);
    expect(actions("Sweep", "s3:Delete")).toEqual(["s3:DeleteObject"]);
    expect(allowed("Sweep", "s3:DeleteObject")[0]?.Resource).toEqual([
      expect.stringMatching(/\/meta\/\*"/),
      expect.stringMatching(/\/out\/\*"/),
    ]);
  });

  test("let deliver do nothing but read jobs, keep its log and note how endpoints fare", () => {
    const items = (...keys: string[]) => ({
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": keys } },
    });
    expect(allowed("Deliver", "dynamodb:")).toMatchObject([
      { Action: ["dynamodb:GetItem", "dynamodb:Query"], ...items("EVT#*", "JOB#*") },
      { Action: ["dynamodb:PutItem"], ...items("EVT#*") },
      { Action: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], ...items("ENDPOINTS#*") },
    ]);
    const services = new Set(actions("Deliver").map((action) => action.split(":")[0]));
    expect(services).toEqual(new Set(["dynamodb", "sqs", "logs"]));
  });

  test("let only the worker read the Gemini key, and nothing else of SSM", () => {
    const readers = everything.filter(({ Action }) =>
      Action.some((action) => /^(ssm|secretsmanager|kms):/.test(action)),
    );
    expect(readers).toEqual(allowed("Worker", "ssm:"));
    expect(readers).toMatchObject([{ Action: ["ssm:GetParameter"] }]);
    expect(readers[0]?.Resource[0]).toContain(":parameter/plantain/prod/gemini-api-key");
  });

  test("let only the worker take messages off the queue", () => {
    expect(actions("Api", "sqs:")).toEqual(["sqs:SendMessage"]);
    expect(actions("Sweep", "sqs:")).toEqual(["sqs:SendMessage"]);
    expect(actions("Worker", "sqs:")).toEqual(
      expect.arrayContaining(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]),
    );
  });

  test("let the sweep read and store no image, and know no key", () => {
    expect(actions("Sweep", "s3:").toSorted()).toEqual(["s3:DeleteObject", "s3:ListBucket"]);
    expect(actions("Sweep", "ssm:")).toEqual([]);
  });

  test("let the API sign reads of images, and store nothing but inputs", () => {
    const folders = (action: string) =>
      allowed("Api", action).flatMap(({ Resource }) => Resource.map((each) => /\/(\w+)\/\*/.exec(each)?.[1]));
    expect(folders("s3:GetObject")).toEqual(["meta", "out"]);
    expect(folders("s3:PutObject")).toEqual(["meta"]);
    expect(actions("Api", "s3:List")).toEqual([]);
  });

  test.each(["Worker", "Sweep"] as const)("let %s list what attempts stored, and no uploads", (role) => {
    expect(allowed(role, "s3:ListBucket")).toMatchObject([
      { Condition: { StringLike: { "s3:prefix": ["meta/*", "out/*"] } } },
    ]);
  });

  test("let keys of tenants be read by the API alone, and changed by nobody", () => {
    const ofTenants = (from: typeof everything) =>
      from.filter(({ Resource }) => Resource.some((each) => each.includes("Tenants")));
    const pools = {
      Action: ["dynamodb:GetItem", "dynamodb:PutItem"],
      Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["POOL#*"] } },
    };
    const endpoints = (...Action: string[]) => ({ Action, Condition: ofEndpoints });
    expect(ofTenants(allowed("Api"))).toMatchObject([
      pools,
      { Action: ["dynamodb:GetItem"] },
      endpoints("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
    ]);
    for (const role of ["Worker", "Sweep"] as const) {
      expect(ofTenants(allowed(role))).toMatchObject([pools, endpoints("dynamodb:Query")]);
    }
    expect(ofTenants(allowed("Deliver"))).toMatchObject([
      endpoints("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"),
    ]);
    expect(ofTenants(everything)).toHaveLength(8);
  });

  test("open each index to the function that asks it", () => {
    const askers = (index: string) =>
      (["Api", "Worker", "Deliver", "Sweep"] as const).filter((role) =>
        JSON.stringify(allowed(role)).includes(`/index/${index}`),
      );
    expect(askers("byTenant")).toEqual(["Api"]);
    expect(askers("byDue")).toEqual(["Sweep"]);
    expect(askers("byHeld")).toEqual(["Api", "Worker", "Sweep"]);
    expect(askers("byEndpoint")).toEqual(["Api"]);
  });

  test("let the schedule start the sweep and do nothing else", () => {
    expect(actions("Sweeping")).toEqual(["lambda:InvokeFunction"]);
  });
});
