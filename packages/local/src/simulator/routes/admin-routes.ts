import * as z from "zod";
import { ProfileInput, QueuedFaultInput } from "../faults/injector.ts";
import { faults } from "../faults/table.ts";
import { invalidArgument } from "../refusal.ts";
import { type Context, jsonBody, ok, type Route } from "./route.ts";

const maxAdminBytes = 2 ** 20;

/** What Google does not have: faults on demand, the ledger, and a sign of life. No key is asked for. */
export const adminRoutes: readonly Route[] = [
  { method: "GET", path: /^\/__sim\/health$/, handle: () => ok({ ok: true }) },
  {
    method: "GET",
    path: /^\/__sim\/faults$/,
    handle: ({ world }) =>
      ok({
        faults: faults.map(({ effect, ...fault }) => ({ ...fault, kind: effect.kind })),
        queued: world.injector.queued(),
      }),
  },
  {
    method: "POST",
    path: /^\/__sim\/faults$/,
    async handle(context) {
      context.world.injector.add(await parsed(context, QueuedFaultInput));
      return ok({ queued: context.world.injector.queued() });
    },
  },
  {
    method: "DELETE",
    path: /^\/__sim\/faults$/,
    handle({ world }) {
      world.injector.clear();
      return ok({});
    },
  },
  {
    method: "POST",
    path: /^\/__sim\/profile$/,
    async handle(context) {
      const profile = await parsed(context, ProfileInput);
      context.world.injector.setProfile(profile);
      return ok({ profile });
    },
  },
  { method: "GET", path: /^\/__sim\/ledger$/, handle: ({ world }) => ok(world.ledger.read()) },
  {
    method: "DELETE",
    path: /^\/__sim\/ledger$/,
    handle({ world }) {
      world.ledger.clear();
      return ok({});
    },
  },
];

async function parsed<Schema extends z.ZodType>(context: Context, schema: Schema): Promise<z.output<Schema>> {
  const result = schema.safeParse(await jsonBody(context, maxAdminBytes));
  if (result.success) return result.data;
  throw invalidArgument(z.prettifyError(result.error));
}
