import { type Endpoint, mostEndpoints, publicKeysOf, type Signer } from "@plantain/core/webhook/endpoint";
import type { EndpointId } from "@plantain/core/webhook/ids";
import type { Deliveries, Endpoints } from "@plantain/core/webhook/ports";

/** What the `Endpoints` port means, in memory. For tests. */
export function memoryEndpoints(deliveries: Deliveries): Endpoints {
  const endpoints = new Map<EndpointId, Endpoint>();
  const signers = new Map<string, Signer>();
  return {
    async list(tenant) {
      const own = [...endpoints.values()].filter((endpoint) => endpoint.tenant === tenant);
      return structuredClone(own.sort((a, b) => (a.id < b.id ? -1 : 1)));
    },
    async load(tenant, id) {
      const found = endpoints.get(id);
      return found?.tenant === tenant ? structuredClone(found) : null;
    },
    async create(endpoint) {
      if (endpoints.has(endpoint.id)) throw new Error(`Cannot create endpoint "${endpoint.id}": it is there`);
      const own = [...endpoints.values()].filter(({ tenant }) => tenant === endpoint.tenant);
      if (own.length >= mostEndpoints) return false;
      endpoints.set(endpoint.id, structuredClone(endpoint));
      return true;
    },
    async write(from, to, announcement) {
      const current = endpoints.get(to.id);
      if (current?.version !== from.version)
        return { written: false, current: structuredClone(current ?? null) };
      endpoints.set(to.id, structuredClone(to));
      if (announcement) await deliveries.announce(announcement);
      return { written: true };
    },
    async remove({ id }) {
      endpoints.delete(id);
    },
    async loadSigner(tenant) {
      return structuredClone(signers.get(tenant) ?? null);
    },
    async writeSigner(from, to) {
      const current = signers.get(to.tenant);
      if (current?.version !== from?.version)
        return { written: false, current: structuredClone(current ?? null) };
      signers.set(to.tenant, structuredClone(to));
      return { written: true };
    },
    async publicKeys(id) {
      const signer = endpoints.get(id) ?? [...signers.values()].find((each) => each.id === id);
      return signer ? publicKeysOf(signer) : [];
    },
  };
}
