import { DomainError } from "@plantain/core/error";
import { checkUrl } from "@plantain/http/url-policy";
import * as z from "zod";
import type { ApiPorts } from "./ports.ts";

/** What a URL has to be like is held against the policy apart from its shape: it depends on where this runs. */
export const Url = z
  .string()
  .min(1)
  .meta({ format: "uri", maxLength: 2_048, examples: ["https://example.com/hook"] });

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
