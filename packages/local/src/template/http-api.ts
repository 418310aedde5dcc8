import * as z from "zod";
import type { Resource } from "./assembly.ts";
import { TemplateError } from "./error.ts";
import type { FunctionSpec } from "./functions.ts";
import type { Template } from "./template.ts";
import { functionNamed } from "./triggers.ts";

const Api = z.object({ ProtocolType: z.literal("HTTP", "only HTTP APIs run locally") });

const Integration = z.object({
  ApiId: z.string(),
  IntegrationType: z.literal("AWS_PROXY"),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal("2.0", "only payload format 2.0 runs locally"),
  TimeoutInMillis: z.number().default(30_000),
});

const Route = z.object({
  ApiId: z.string(),
  RouteKey: z.literal("$default", "only the route $default runs locally: the function routes"),
  Target: z.string(),
  AuthorizationType: z.literal("NONE", "authorizers do not run locally").default("NONE"),
});

const Stage = z.object({
  ApiId: z.string(),
  StageName: z.literal("$default", "only the stage $default runs locally: others change every path"),
});

/** The one HTTP API: every request goes to this function. */
export type HttpApiSpec = {
  readonly apiId: string;
  readonly function: FunctionSpec;
  /** How long the front waits for the function. */
  readonly timeoutMs: number;
};

/** The template's HTTP API. Throws when there is not exactly one, with one route to a function. */
export function readHttpApi(template: Template, functions: readonly FunctionSpec[]): HttpApiSpec {
  const [api, ...otherApis] = template.read(["AWS::ApiGatewayV2::Api"], Api);
  const [route, ...otherRoutes] = template.read(["AWS::ApiGatewayV2::Route"], Route);
  const [integration, ...otherIntegrations] = template.read(["AWS::ApiGatewayV2::Integration"], Integration);
  template.read(["AWS::ApiGatewayV2::Stage"], Stage);
  const extra = [...otherApis, ...otherRoutes, ...otherIntegrations][0]?.resource;
  if (extra !== undefined) throw onlyOne(extra);
  if (api === undefined || route === undefined || integration === undefined) {
    throw new Error("Cannot run the template locally: it holds no HTTP API with a route to a function");
  }
  return {
    apiId: template.ref(api.resource),
    function: functionNamed(functions, integration.properties.IntegrationUri, integration.resource),
    timeoutMs: integration.properties.TimeoutInMillis,
  };
}

function onlyOne(extra: Resource): TemplateError {
  return new TemplateError(
    extra,
    "there is one front with one route and one integration locally; this is a second one",
  );
}
