import { invalidArgument } from "./refusal.ts";
import type { GenerateRequest, RequestContent, RequestPart } from "./request-fields.ts";

/** Every part that must be one and only one of: the proto's `data` oneof. */
const dataFields = [
  "text",
  "inlineData",
  "fileData",
  "functionCall",
  "functionResponse",
  "executableCode",
  "codeExecutionResult",
  "toolCall",
  "toolResponse",
] as const;

/**
 * Checks roles, and that each part holds exactly one thing.
 *
 * @throws Refusal 400
 */
export function checkContents(request: GenerateRequest): readonly RequestContent[] {
  const contents = request.contents ?? [];
  if (contents.length === 0) {
    throw invalidArgument("* GenerateContentRequest.contents: contents is not specified\n");
  }
  for (const [index, content] of contents.entries()) {
    if (!["user", "model", "", undefined].includes(content.role)) {
      throw invalidArgument("Please use a valid role: user, model.");
    }
    const parts = content.parts ?? [];
    if (parts.length === 0) {
      throw invalidArgument(
        `* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.\n`,
      );
    }
    for (const [position, part] of parts.entries()) {
      checkOneof(part, `contents[${index}].parts[${position}]`);
    }
  }
  return contents;
}

function checkOneof(part: RequestPart, path: string): void {
  const [first, second] = dataFields.filter((field) => part[field] !== undefined);
  if (first === undefined) {
    throw invalidArgument(
      `* GenerateContentRequest.${path}.data: required oneof field 'data' must have one initialized field\n`,
    );
  }
  if (second !== undefined) {
    throw invalidArgument(
      `Invalid value at '${path}' (oneof), oneof field 'data' is already set. Cannot set '${second}'`,
    );
  }
}

/** The user's contents after the last answer of the model: what this call is about. */
export function lastTurn(contents: readonly RequestContent[]): readonly RequestContent[] {
  return contents.slice(contents.findLastIndex((content) => content.role === "model") + 1);
}

/** The text of the last turn, parts separated by line breaks. */
export function promptOf(contents: readonly RequestContent[]): string {
  return textsOf(lastTurn(contents)).join("\n");
}

/** Every non-empty text. */
export function textsOf(contents: readonly RequestContent[]): string[] {
  return contents.flatMap((content) => (content.parts ?? []).flatMap((part) => part.text || []));
}
