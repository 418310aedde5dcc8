import * as z from "zod";

/** A job as the API shows it, as far as tests look at it. */
export const Job = z.looseObject({
  id: z.string(),
  status: z.enum(["queued", "running", "succeeded", "failed", "canceled"]),
  attempts: z.number(),
  model: z.string(),
  images: z.array(
    z.looseObject({
      url: z.string(),
      media_type: z.string(),
      width: z.number(),
      height: z.number(),
      bytes: z.number(),
      sha256: z.string(),
    }),
  ),
  cost: z.looseObject({ usd: z.string().nullable(), final: z.boolean(), unknown_attempts: z.number() }),
  error: z.looseObject({ code: z.string() }).nullable(),
  warnings: z.array(z.string()),
});
export type Job = z.infer<typeof Job>;

export const Ledger = z.looseObject({
  calls: z.array(z.looseObject({ billed: z.boolean(), status: z.number().nullable() })),
  totals: z.looseObject({ calls: z.number(), billed: z.number(), images: z.number() }),
});

export type Client = ReturnType<typeof clientOf>;

/** What a user does with curl. */
export function clientOf({ url, apiKey }: { url: string; apiKey: string }) {
  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method,
      redirect: "manual",
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const jobOf = async (response: Response) => Job.parse(await response.json());
  return {
    call,
    async submit(body: unknown, headers: Record<string, string> = {}): Promise<Job> {
      const response = await call("POST", "/v1/jobs", body, headers);
      if (response.status !== 202)
        throw new Error(`Cannot submit: ${response.status} ${await response.text()}`);
      return jobOf(response);
    },
    async read(id: string): Promise<Job> {
      return jobOf(await call("GET", `/v1/jobs/${id}`));
    },
    /** The job once it is over. */
    async end(id: string, withinMs = 60_000): Promise<Job> {
      const until = Date.now() + withinMs;
      for (;;) {
        const job = await jobOf(await call("GET", `/v1/jobs/${id}?wait=10`));
        if (job.status !== "queued" && job.status !== "running") return job;
        if (Date.now() > until) throw new Error(`Job "${id}" is still ${job.status} after ${withinMs} ms`);
      }
    },
    cancel: async (id: string) => jobOf(await call("POST", `/v1/jobs/${id}/cancel`)),
  };
}

export async function ledgerAt(simulatorUrl: string | null) {
  return Ledger.parse(await (await fetch(`${simulatorUrl}/__sim/ledger`)).json());
}
