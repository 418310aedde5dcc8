import type { ToldJob } from "@plantain/client/event";
import { succeededJob } from "@plantain/client/job.fixture";
import { jobEventId } from "@plantain/core/webhook/ids";
import { payload } from "@plantain/functions/deliver/payload";
import { expandedAttempt } from "@plantain/functions/deliver/payload.fixture";
import { type ToldJob as Published, payloadSchemas } from "@plantain/functions/deliver/payload-schema";
import { describe, expect, it } from "vitest";
import * as z from "zod";

/*
 * What is published of payloads, what the client's types say, and what is sent are one.
 */

/** What JSON Schema says of one place. */
type Shape = {
  readonly properties?: Readonly<Record<string, Shape>> | undefined;
  readonly items?: Shape | undefined;
  readonly anyOf?: readonly Shape[] | undefined;
  readonly type?: unknown;
};
const Shape: z.ZodType<Shape> = z.lazy(() =>
  z.object({
    properties: z.record(z.string(), Shape).optional(),
    items: Shape.optional(),
    anyOf: z.array(Shape).optional(),
    type: z.unknown().optional(),
  }),
);
const Fields = z.record(z.string(), z.unknown());

/** The places where a value has a field that isn't published, or lacks one that is. */
function differences(shape: Shape, value: unknown, path = ""): string[] {
  if (value === null || value === undefined) return [];
  const own = shape.anyOf?.find(({ type }) => type !== "null") ?? shape;
  if (Array.isArray(value))
    return value.flatMap((each, at) => differences(own.items ?? {}, each, `${path}[${at}]`));
  const { properties } = own;
  if (!properties) return [];
  const fields = Fields.parse(value);
  return [...new Set([...Object.keys(fields), ...Object.keys(properties)])].flatMap((name) => {
    const below = properties[name];
    return below && name in fields
      ? differences(below, fields[name], `${path}.${name}`)
      : [`${path}.${name}`];
  });
}

const published = Shape.parse(z.toJSONSchema(payloadSchemas.get("job.succeeded") ?? z.never()));
const timestamp = "2026-11-01T00:00:00.000Z";

describe("the published schema of a job", () => {
  it("has the fields that the client's type has, at every depth", () => {
    // What the schema says isn't what the type says where this doesn't compile
    const asTyped = (job: z.infer<typeof Published>): ToldJob => job;
    const event = { type: "job.succeeded", timestamp, data: succeededJob };
    expect(differences(published, event)).toEqual([]);
    expect(asTyped).toBeDefined();
  });

  it("has the fields that are sent", async () => {
    const record = expandedAttempt("A leaf", "Here you are", 3);
    const { id, tenant } = record.job;
    const event = { id: jobEventId(id), type: "job.succeeded", tenant, at: 0, jobId: id } as const;
    const sent: unknown = JSON.parse(await payload(event, record, "https://api.example.com"));
    expect(differences(published, sent)).toEqual([]);
  });

  it("would not do without a field, nor with one too many", () => {
    const { seed: _, ...data } = { ...succeededJob, colour: "red" };
    const differing = differences(published, { type: "job.succeeded", timestamp, data });
    expect(differing).toEqual(expect.arrayContaining([".data.seed", ".data.colour"]));
  });
});
