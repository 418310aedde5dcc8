import { changed, type Endpoint, type EndpointSettings } from "./endpoint.ts";
import { type ManagePorts, rewrite } from "./manage-endpoints.ts";
import { type Recovered, resume } from "./redeliver.ts";

export type ChangePorts = Omit<ManagePorts, "random">;

/** `resumed` tells of what was parked, where the change enables; `null` where it doesn't. */
export type Changed = { readonly endpoint: Endpoint; readonly resumed: Recovered | null };

/**
 * Changes an endpoint. Who says that it be enabled, though it is so already, sends on its way what is parked there: an
 * earlier one may not have come to the end of that.
 * @param leftMs the time left for that
 * @throws DomainError `endpoint_not_found`
 */
export async function changeEndpoint(
  ports: ChangePorts,
  tenant: string,
  id: string,
  change: Partial<EndpointSettings> & { readonly enabled?: boolean },
  leftMs: () => number,
): Promise<Changed> {
  const endpoint = await rewrite(ports, tenant, id, (from) => changed(from, change, ports.clock.now()));
  const resumed = change.enabled === true ? await resume(ports, endpoint, leftMs) : null;
  return { endpoint, resumed };
}
