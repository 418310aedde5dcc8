import { textsOf } from "../conversation.ts";
import { maxBodyBytes } from "../http.ts";
import { findModel, modelNotFoundMessage, modelResource, models } from "../models.ts";
import { pageOf } from "../paging.ts";
import { parseMessage } from "../proto-json.ts";
import { notFound } from "../refusal.ts";
import { CountTokensRequest } from "../request-fields.ts";
import { inputTokens, promptDetails } from "../usage.ts";
import { type Context, jsonBody, ok, type Route, requireKey } from "./route.ts";

/** Reading the list of models, and counting tokens. */
export const modelRoutes: readonly Route[] = [
  {
    method: "GET",
    path: /^\/(?<version>v1|v1beta)\/models$/,
    handle(context) {
      requireKey(context);
      const { page, next } = pageOf(models, context.url.searchParams);
      return ok({ models: page.map(modelResource), ...next });
    },
  },
  {
    method: "GET",
    path: /^\/(?<version>v1|v1beta)\/models\/(?<model>[^/:]+)$/,
    handle(context) {
      requireKey(context);
      const { model: id = "", version } = context.params;
      const model = findModel(id);
      if (model === undefined) throw notFound(`Model is not found: models/${id} for api version ${version}`);
      return ok(modelResource(model));
    },
  },
  {
    method: "POST",
    path: /^\/(?<version>v1|v1beta)\/models\/(?<model>[^/:]+):countTokens$/,
    handle: countTokens,
  },
  {
    method: "POST",
    path: /^\/(?<version>v1|v1beta)\/models\/(?<model>[^/:]+):(?<method>\w+)$/,
    handle(context) {
      requireKey(context);
      const { model = "", version = "", method = "" } = context.params;
      throw notFound(modelNotFoundMessage(model, version, method));
    },
  },
];

async function countTokens(context: Context) {
  requireKey(context);
  const { model = "", version = "" } = context.params;
  const body = parseMessage(CountTokensRequest, await jsonBody(context, maxBodyBytes));
  if (findModel(model) === undefined) throw notFound(modelNotFoundMessage(model, version, "countTokens"));
  const asked = body.generateContentRequest;
  const instruction = asked?.systemInstruction === undefined ? [] : [asked.systemInstruction];
  const contents = [...instruction, ...(asked?.contents ?? body.contents ?? [])];
  const parts = contents.flatMap((content) => content.parts ?? []);
  const images = parts.filter((part) => part.inlineData !== undefined || part.fileData !== undefined);
  const tokens = inputTokens(textsOf(contents), images.length);
  return ok({
    totalTokens: tokens.inputText + tokens.inputImage,
    promptTokensDetails: promptDetails(tokens),
  });
}
