import * as z from "zod";

const BatchResponse = z
  .object({
    batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })).nullish(),
  })
  .nullable();

/**
 * The messages of a batch that the function is done with, out of its answer (JSON) when it reports failures one by one.
 * As on AWS an answer without failures means all, and one that makes no sense, or names an unknown message, means none.
 */
export function succeeded(result: string, messageIds: readonly string[]): readonly string[] {
  const response = BatchResponse.safeParse(JSON.parse(result));
  if (!response.success) return [];
  const failed = response.data?.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier) ?? [];
  if (failed.some((id) => !messageIds.includes(id))) return [];
  return messageIds.filter((id) => !failed.includes(id));
}
