import { invalidArgument } from "./refusal.ts";

/** One page of a list by `pageSize` and `pageToken`; the token is an offset, opaque to clients. */
export function pageOf<Item>(
  items: readonly Item[],
  query: URLSearchParams,
): { page: readonly Item[]; next: { nextPageToken?: string } } {
  const size = Number(query.get("pageSize") ?? 50) || 50;
  const token = query.get("pageToken") ?? "";
  const start = token === "" ? 0 : Number(Buffer.from(token, "base64url").toString());
  if (!Number.isSafeInteger(start) || start < 0) throw invalidArgument("Invalid page token.");
  const end = start + Math.max(1, size);
  const page = items.slice(start, end);
  return {
    page,
    next: end < items.length ? { nextPageToken: Buffer.from(String(end)).toString("base64url") } : {},
  };
}
