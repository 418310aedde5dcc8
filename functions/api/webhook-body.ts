import { DomainError } from "@plantain/core/error";
import { subscribableTypes } from "@plantain/core/webhook/event";
import { isSecret } from "@plantain/core/webhook/signature";
import { checkUrl } from "@plantain/http/url-policy";
import * as z from "zod";
import type { ApiPorts } from "./ports.ts";

const day = 86_400;

/** What a URL has to be like is held against the policy apart from its shape: it depends on where this runs. */
export const Url = z
  .string()
  .min(1)
  .meta({ format: "uri", maxLength: 2_048, examples: ["https://example.com/hook"] });

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

/**
 * Holds a URL that comes with a job against the policy alone, before anything is stored: no submission waits for name
 * servers of whoever's they are. Each try does so again, with what its name resolves to.
 * @throws DomainError `invalid_request`
 */
export function acceptUrl(url: string, field: string, allowLoopback: boolean): void {
  const target = checkUrl(url, { allowLoopback });
  if ("refused" in target) throw new DomainError("invalid_request", target.refused.message, { field });
}

/**
 * Holds an endpoint's URL against the policy and looks its host up, before anything is stored; each try does so again.
 * @throws DomainError `invalid_request`
 */
export async function acceptEndpointUrl(
  url: string,
  { checkUrl }: Pick<ApiPorts, "checkUrl">,
): Promise<void> {
  const refusal = await checkUrl(url);
  if (refusal) throw new DomainError("invalid_request", refusal.message, { field: "url" });
}
