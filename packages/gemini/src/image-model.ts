import { GoogleGenAI, type Models } from "@google/genai/web";
import type { Failure } from "@plantain/core/job/failure";
import type { Answer, ImageModel, ModelCall } from "@plantain/core/job/ports";
import { type Exchange, exchange } from "./exchange.ts";
import { failureOf } from "./failure.ts";
import { requestOf } from "./request.ts";
import { answerOf } from "./response.ts";

export type GeminiOptions = {
  /** The API key of a name, asked before each call, so that a rotated key is taken up; cache it. */
  readonly apiKey: (name: string) => Promise<string>;
  /** Default: Google's own address. */
  readonly baseUrl?: string;
  /** How long one call may take. Default: 240 s. */
  readonly callTimeoutMs?: number;
};

/** Gemini's image models by way of @google/genai. One call is one request: nothing is retried here. */
export function geminiImageModel(options: GeminiOptions): ImageModel {
  const { apiKey, baseUrl, callTimeoutMs = 240_000 } = options;
  const clients = new Map<string, { readonly key: string; readonly models: Models }>();

  function modelsFor(name: string, key: string): Models {
    const known = clients.get(name);
    if (known?.key === key) return known.models;
    const models = connect(key, baseUrl, callTimeoutMs);
    clients.set(name, { key, models });
    return models;
  }

  return {
    async generate(call, signal) {
      signal.throwIfAborted();
      let key: string;
      try {
        key = await apiKey(call.key);
      } catch (error) {
        signal.throwIfAborted();
        return failed(noKey(error instanceof Error ? error.name : "unknown error"));
      }
      signal.throwIfAborted();
      if (key === "") return failed(noKey("it is empty"));
      const timeout = new AbortController();
      const timer = setTimeout(() => timeout.abort(), callTimeoutMs);
      const { fetch, seen } = exchange(AbortSignal.any([signal, timeout.signal]));
      try {
        return await ask(modelsFor(call.key, key), call, fetch, seen);
      } catch (error) {
        signal.throwIfAborted();
        if (timeout.signal.aborted) return failed(failureOf({ type: "timeout", afterMs: callTimeoutMs }));
        return failed(failureAfter(error, seen, key));
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function connect(apiKey: string, baseUrl: string | undefined, callTimeoutMs: number): Models {
  const httpOptions = {
    ...(baseUrl === undefined ? {} : { baseUrl }),
    // So that Gemini gives up when we do. The SDK's own timeout would keep a timer for each call.
    headers: { "x-server-timeout": String(Math.ceil(callTimeoutMs / 1000)) },
  };
  return new GoogleGenAI({ apiKey, apiVersion: "v1beta", httpOptions }).models;
}

async function ask(
  models: Models,
  call: ModelCall,
  fetch: typeof globalThis.fetch,
  seen: Exchange,
): Promise<Answer> {
  const { config, ...request } = requestOf(call);
  const response = await models.generateContent({
    ...request,
    config: { ...config, httpOptions: { fetch } },
  });
  return answerOf(response, seen);
}

function failureAfter(error: unknown, seen: Exchange, key: string): Failure {
  const { status, body, retryAfter } = seen;
  if (status === null || (status >= 200 && status < 300)) {
    return failureOf({ type: "transport", error, seen });
  }
  const at = Date.now();
  return failureOf({ type: "http", status, body: body?.toString() ?? "", retryAfter, at, secret: key });
}

function failed(failure: Failure): Answer {
  return { type: "failure", failure, usage: null };
}

function noKey(reason: string): Failure {
  return {
    code: "provider_configuration",
    message: `Cannot read the Gemini API key: ${reason}`,
    billed: "no",
  };
}
