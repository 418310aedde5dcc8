/**
 * Runs inside a worker thread: one Lambda execution environment. It loads the function's module once and then hands it
 * events, several at a time if they come so. Its `process.env` is the function's own.
 */
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { describeError, type Invocation, type ThreadData, type ThreadMessage } from "./thread-messages.ts";

type Handler = (event: unknown, context: object) => unknown;

if (parentPort === null) throw new Error("Cannot run thread.ts by itself: it is started as a worker thread");
const port = parentPort;
const say = (message: ThreadMessage) => port.postMessage(message);
const about: ThreadData = workerData;

try {
  const handler = await load();
  port.on("message", (invocation: Invocation) => void answer(handler, invocation));
  say({ type: "loaded" });
} catch (error) {
  say({ type: "not_loaded", error: describeError(error) });
}

async function load(): Promise<Handler> {
  const module: object = await import(pathToFileURL(about.modulePath).href);
  const handler: unknown = Reflect.get(module, about.exportName);
  if (!isHandler(handler)) {
    throw Object.assign(new Error(`${about.modulePath} exports no function "${about.exportName}"`), {
      name: "Runtime.HandlerNotFound",
    });
  }
  return handler;
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

async function answer(handler: Handler, { requestId, event, deadline }: Invocation): Promise<void> {
  const context = {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: about.functionName,
    functionVersion: "$LATEST",
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    invokedFunctionArn: about.functionArn,
    logGroupName: `/aws/lambda/${about.functionName}`,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    memoryLimitInMB: String(about.memoryMb),
  };
  try {
    const result = await handler(JSON.parse(event), context);
    say({ type: "returned", requestId, result: JSON.stringify(result) ?? "null" });
  } catch (error) {
    say({ type: "failed", requestId, error: describeError(error) });
  }
}
