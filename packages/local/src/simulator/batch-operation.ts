/** The states a batch goes through. */
export type BatchState = "PENDING" | "RUNNING" | "SUCCEEDED" | "FAILED" | "CANCELLED";

/** The answer of one row, with what the row carried to be known again. */
export type RowResult = ({ response: object } | { error: object }) & { key?: string; metadata?: unknown };

/** All that an Operation tells of a batch. */
export type BatchView = {
  name: string;
  model: string;
  displayName: string | null;
  state: BatchState;
  createdAt: string;
  updatedAt: string;
  rows: number;
  results: readonly RowResult[];
  /** Where the results of a file batch are, once it is done. */
  responsesFile: string | null;
  error: object | null;
};

/** The Operation by which the API shows a batch; results appear, twice as with Google, when it has succeeded. */
export function operationOf(batch: BatchView, withOutput: boolean): object {
  const done = batch.state !== "PENDING" && batch.state !== "RUNNING";
  const failed = batch.results.filter((result) => "error" in result).length;
  const output = batch.state === "SUCCEEDED" && withOutput ? outputOf(batch) : null;
  return {
    name: batch.name,
    metadata: {
      "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
      name: batch.name,
      model: `models/${batch.model}`,
      ...(batch.displayName === null ? {} : { displayName: batch.displayName }),
      state: `BATCH_STATE_${batch.state}`,
      createTime: batch.createdAt,
      updateTime: batch.updatedAt,
      ...(done ? { endTime: batch.updatedAt } : {}),
      batchStats: {
        requestCount: String(batch.rows),
        successfulRequestCount: String(batch.results.length - failed),
        failedRequestCount: String(failed),
        pendingRequestCount: String(batch.rows - batch.results.length),
      },
      ...(output === null ? {} : { output }),
    },
    ...(done ? { done } : {}),
    ...(batch.error === null ? {} : { error: batch.error }),
    ...(output === null
      ? {}
      : {
          response: {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatchOutput",
            ...output,
          },
        }),
  };
}

function outputOf({ responsesFile, results }: BatchView): object {
  return responsesFile === null ? { inlinedResponses: { inlinedResponses: results } } : { responsesFile };
}
