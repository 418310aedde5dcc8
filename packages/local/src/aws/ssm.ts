import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import * as z from "zod";
import { account, region } from "./access.ts";

export type SsmServer = { readonly url: string; stop(): Promise<void> };

const GetParameter = z.object({ Name: z.string(), WithDecryption: z.boolean().default(false) });

/**
 * Starts a server on a free port of 127.0.0.1 that answers GetParameter for these SecureStrings, by name, and nothing
 * else of SSM. Signatures are not checked.
 */
export async function startSsm(parameters: Readonly<Record<string, string>>): Promise<SsmServer> {
  const server = createServer((request, response) => {
    void text(request).then((input) => {
      const { status, body } = answer(request.headers["x-amz-target"], input, parameters);
      response.writeHead(status, { "content-type": "application/x-amz-json-1.1" });
      response.end(JSON.stringify(body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Cannot start SSM: it has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  target: string | string[] | undefined,
  body: string,
  parameters: Readonly<Record<string, string>>,
) {
  if (target !== "AmazonSSM.GetParameter") {
    return failure(
      "UnknownOperationException",
      `Only GetParameter is served locally, not "${String(target)}"`,
    );
  }
  const request = GetParameter.safeParse(parseJson(body));
  if (!request.success) return failure("ValidationException", z.prettifyError(request.error));
  const { Name, WithDecryption } = request.data;
  const value = Object.hasOwn(parameters, Name) ? parameters[Name] : undefined;
  if (value === undefined) return failure("ParameterNotFound", `Parameter ${Name} not found.`);
  return {
    status: 200,
    body: {
      Parameter: {
        ARN: `arn:aws:ssm:${region}:${account}:parameter/${Name.replace(/^\//, "")}`,
        DataType: "text",
        LastModifiedDate: 0,
        Name,
        Type: "SecureString",
        // Who forgets to ask for decryption gets something useless on AWS too.
        Value: WithDecryption ? value : Buffer.from(`encrypted ${Name}`).toString("base64"),
        Version: 1,
      },
    },
  };
}

function failure(type: string, message: string) {
  return { status: 400, body: { __type: type, message } };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
