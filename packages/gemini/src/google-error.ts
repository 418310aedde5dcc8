import * as z from "zod";

/** What Google says of an HTTP error, in the parts that tell errors apart. */
export type GoogleError = {
  readonly status: number;
  /** Google's own servers speak JSON; a gateway on the way to them speaks HTML. */
  readonly isJson: boolean;
  /** As `RESOURCE_EXHAUSTED`; empty when not told, like the rest. */
  readonly grpcStatus: string;
  readonly message: string;
  /** As `API_KEY_INVALID`. */
  readonly reasons: readonly string[];
  readonly isDailyQuota: boolean;
  /** The quota that was exceeded is none at all: the project's tier doesn't include the model. */
  readonly hasNoQuota: boolean;
  /** A duration, as `47.43s`. */
  readonly retryDelay: string | null;
};

const Text = z.string().nullish().catch(null);

const Violation = z.object({ quotaMetric: Text, quotaId: Text, quotaValue: Text }).catch({});

const Detail = z
  .object({
    reason: Text,
    retryDelay: Text,
    violations: z.array(Violation).nullish().catch(null),
  })
  .catch({});

const Wrapped = z.object({
  error: z.object({
    message: Text,
    status: Text,
    details: z.array(Detail).nullish().catch(null),
  }),
});
/** Some addresses wrap the error in an array. */
const ErrorBody = z.union([Wrapped, z.tuple([Wrapped]).transform(([wrapped]) => wrapped)]);

/** Reads an error body; one that is not Google's leaves all but the status empty. */
export function readError(status: number, body: string): GoogleError {
  const error = ErrorBody.safeParse(parsed(body)).data?.error;
  const details = error?.details ?? [];
  const message = error?.message ?? "";
  const violations = details.flatMap((detail) => detail.violations ?? []);
  return {
    status,
    isJson: error !== undefined,
    grpcStatus: error?.status ?? "",
    message,
    reasons: details.flatMap(({ reason }) => reason ?? []),
    isDailyQuota: violations.some(({ quotaId, quotaMetric }) =>
      /per_?day/i.test(`${quotaId} ${quotaMetric}`),
    ),
    hasNoQuota:
      violations.some(({ quotaValue }) => quotaValue === "0") || /\blimit: 0(?![\d.]*\d)/.test(message),
    retryDelay: details.find(({ retryDelay }) => retryDelay)?.retryDelay ?? null,
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null; // HTML, or cut short
  }
}
