import * as z from "zod";
import { parseMessage } from "./proto-json.ts";
import { invalidArgument } from "./refusal.ts";
import { type BatchInput, GenerateContentRequest, type GenerateRequest } from "./request-fields.ts";
import type { World } from "./world.ts";

/** One request of a batch. `read` throws a Refusal when the row cannot be parsed: only that row fails then. */
export type Row = { read: () => GenerateRequest; key: string | null; metadata: unknown };

const Line = z.object({
  key: z.string().optional(),
  request: z.unknown().optional(),
  metadata: z.unknown().optional(),
});

/**
 * The rows of a batch, inline or from a JSONL file.
 *
 * @throws Refusal 400 without rows to read, 403 if the file is not there
 */
export function rowsOf(world: World, { inputConfig }: BatchInput): readonly Row[] {
  if (inputConfig?.fileName !== undefined) {
    const text = world.files.get(inputConfig.fileName).bytes.toString("utf8");
    return text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map(lineRow);
  }
  const requests = inputConfig?.requests?.requests;
  if (requests === undefined) {
    throw invalidArgument(
      "* BatchGenerateContentRequest.batch.input_config: input_config is not specified\n",
    );
  }
  return requests.map(({ request, metadata }) => ({ read: () => request ?? {}, key: null, metadata }));
}

function lineRow(line: string): Row {
  const parsed = Line.safeParse(jsonOf(line));
  if (!parsed.success) {
    return {
      read: () => {
        throw invalidArgument("Invalid JSON payload received. Cannot parse the line of the batch file.");
      },
      key: null,
      metadata: undefined,
    };
  }
  const { key, request, metadata } = parsed.data;
  return { read: () => parseMessage(GenerateContentRequest, request), key: key ?? null, metadata };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
