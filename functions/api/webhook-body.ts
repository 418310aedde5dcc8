import { subscribableTypes } from "@plantain/core/webhook/event";
import { isSecret } from "@plantain/core/webhook/signature";
import * as z from "zod";
import { Url } from "./url-body.ts";

const day = 86_400;

export const SecretText = z
  .string()
  .refine(isSecret, "Has to be whsec_ and 24 to 64 bytes in base64, or leave it out and get one")
  .meta({ pattern: "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$" });

/** A list of different events, at least one. */
export const eventList = <const T extends readonly [string, ...string[]]>(types: T) =>
  z
    .array(z.enum(types))
    .min(1, "Name at least one event, or leave it out for all")
    .transform((events) => [...new Set(events)]);

const settings = {
  url: Url,
  events: eventList(subscribableTypes),
  description: z.string().max(500),
  enabled: z.boolean(),
};

/** The body of `POST /v1/endpoints`. */
export const EndpointBody = z.strictObject({
  ...settings,
  events: settings.events.default([...subscribableTypes]),
  description: settings.description.default(""),
  enabled: settings.enabled.default(true),
  secret: SecretText.optional(),
});

/** The body of `PATCH /v1/endpoints/{id}`. */
export const EndpointChange = z
  .strictObject({
    url: settings.url.exactOptional(),
    events: settings.events.exactOptional(),
    description: settings.description.exactOptional(),
    enabled: settings.enabled.exactOptional(),
  })
  .refine((change) => Object.keys(change).length > 0, "Name at least one field to change");

/** The body of a rotation; it may be left out. */
export const RotationBody = z.strictObject({
  secret: SecretText.optional(),
  overlap_seconds: z
    .number()
    .int()
    .min(0)
    .max(7 * day)
    .default(day),
});
