import { sha256Hex } from "./hash.ts";

/** A value as a JSON object to be stored. */
export function encodeJson(value: unknown): {
  bytes: readonly Uint8Array[];
  mediaType: string;
  sha256: string;
} {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return { bytes: [bytes], mediaType: "application/json", sha256: sha256Hex(bytes) };
}

/**
 * RFC 8785 canonical JSON: the same text for equal values, whatever order their keys came in.
 * Takes what JSON.parse gives; numbers and strings are written as JSON.stringify does, which is what the RFC asks for.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1)) // by UTF-16 code units, as the RFC says
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
