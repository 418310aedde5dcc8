import { deliver } from "@plantain/core/webhook/deliver";
import type { Posted, Posting } from "@plantain/core/webhook/ports";
import { sampleAnswer } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { payload } from "../deliver/payload.ts";
import { payloadSchemas } from "../deliver/payload-schema.ts";
import { world as apiWorld, problemOf } from "./app.fixture.ts";

const Endpoint = z.looseObject({
  id: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  enabled: z.boolean(),
  secret: z.string().optional(),
  secrets: z.array(z.strictObject({ signs_until: z.string().nullable() })),
  public_key: z.string(),
  links: z.looseObject({ jwks: z.string() }),
});
const Delivery = z.looseObject({
  id: z.string(),
  webhook_id: z.string(),
  status: z.string(),
  job_id: z.string().nullable(),
  endpoint: z.string().nullable(),
  try_count: z.number(),
});
const DeliveryList = z.strictObject({
  object: z.literal("list"),
  data: z.array(Delivery),
  next_cursor: z.string().nullable(),
});
const Jwks = z.strictObject({
  keys: z.array(z.looseObject({ kty: z.string(), crv: z.string(), x: z.string() })),
});
const url = "https://example.com/hook";
const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;

async function world() {
  const api = await apiWorld();
  const { call, ports, submit } = api;
  const posted: Posting[] = [];
  const script: Posted[] = [];
  const sender = {
    async send(posting: Posting): Promise<Posted> {
      posted.push(posting);
      const answered = { type: "answered", status: 200, retryAfter: null, isWhole: true, ms: 9 } as const;
      return script.shift() ?? { ...answered, body: new TextEncoder().encode("thank you") };
    },
  };
  const register = async (body: object = {}) => {
    const response = await call("POST", "/v1/endpoints", { body: { url, ...body } });
    expect(response.status, await response.clone().text()).toBe(201);
    return Endpoint.parse(await response.json());
  };
  const render: Parameters<typeof deliver>[0]["render"] = (event, record) =>
    payload(event, record, "https://api.example.com");
  const run = async () => {
    for (let next = ports.deliveryQueue.take(); next; next = ports.deliveryQueue.take())
      await deliver({ ...ports, sender, render }, next.id, next.lane);
  };
  const list = async (query: string) => {
    const response = await call("GET", `/v1/deliveries?${query}`);
    expect(response.status, await response.clone().text()).toBe(200);
    return DeliveryList.parse(await response.json());
  };
  /** A canceled job. */
  const canceled = async (body: object = {}) => {
    const { job } = await submit({ prompt: "A banana", ...body });
    await call("POST", `/v1/jobs/${job.id}/cancel`);
    return job;
  };
  return { ...api, posted, script, register, run, list, canceled };
}

describe("endpoints", () => {
  it("are registered with a secret of their own, which no later answer shows", async () => {
    const { call, register, lines } = await world();
    const made = await register({ description: "Orders" });
    expect(made.secret).toMatch(/^whsec_/);
    expect(made).toMatchObject({ url, enabled: true, description: "Orders", disabled: null });
    expect(made.events).toHaveLength(4);
    const shown = await (await call("GET", `/v1/endpoints/${made.id}`)).text();
    const listed = await (await call("GET", "/v1/endpoints")).text();
    for (const text of [shown, listed, lines.join()]) {
      expect(text).not.toContain(made.secret);
      expect(text).not.toContain("whsk_");
    }
    expect(listed).toContain(made.id);
  });

  it("take a secret of the owner's, a list of events and a beginning without any", async () => {
    const { register, canceled, run, posted } = await world();
    const made = await register({ secret, events: ["job.succeeded", "job.succeeded"] });
    expect(made).toMatchObject({ secret, events: ["job.succeeded"] });
    await register({ enabled: false });
    await canceled();
    await run();
    expect(posted).toEqual([]);
  });

  it("are the tenant's own, and need the scope", async () => {
    const { call, register, keyFor } = await world();
    const { id } = await register();
    const key = await keyFor("globex");
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PATCH", "", { enabled: false }],
      ["DELETE", "", undefined],
      ["POST", "/rotate", undefined],
      ["POST", "/ping", undefined],
      ["POST", "/recover?since=2026-01-01T00:00:00Z", undefined],
    ] as const) {
      const response = await call(method, `/v1/endpoints/${id}${path}`, { key, body });
      expect((await problemOf(response)).code, `${method} ${path}`).toBe("endpoint_not_found");
    }
    const reader = await keyFor("acme", ["jobs:read", "jobs:write"]);
    expect((await call("GET", "/v1/endpoints", { key: reader })).status).toBe(403);
    expect((await call("GET", "/v1/deliveries?endpoint=inline", { key: reader })).status).toBe(403);
  });

  it("change, are disabled by their owner, and go away", async () => {
    const { call, register } = await world();
    const { id } = await register();
    const changed = await call("PATCH", `/v1/endpoints/${id}`, {
      body: { url: "https://example.com/new", enabled: false },
    });
    expect(await changed.json()).toMatchObject({
      url: "https://example.com/new",
      enabled: false,
      disabled: { reason: "owner" },
    });
    expect((await problemOf(await call("POST", `/v1/endpoints/${id}/ping`))).code).toBe("endpoint_disabled");
    expect((await call("DELETE", `/v1/endpoints/${id}`)).status).toBe(204);
    expect((await call("GET", `/v1/endpoints/${id}`)).status).toBe(404);
  });

  it("are at most 20, however many are registered at once", async () => {
    const { call, ports } = await world();
    const register = async () => call("POST", "/v1/endpoints", { body: { url } });
    const responses = await Promise.all(Array.from({ length: 30 }, register));
    expect(responses.filter(({ status }) => status === 201)).toHaveLength(20);
    expect(responses.filter(({ status }) => status === 409)).toHaveLength(10);
    const endpoints = await ports.endpoints.list("acme");
    expect(endpoints).toHaveLength(20);
    expect(await problemOf(await register())).toMatchObject({ status: 409, code: "too_many_endpoints" });
    await call("DELETE", `/v1/endpoints/${endpoints[0]?.id}`);
    expect((await register()).status).toBe(201);
  });

  it("sign with both secrets and both keys after a rotation, until its overlap is over", async () => {
    const { app, call, register, run, posted, clock } = await world();
    const { id, links, public_key: firstKey } = await register();
    const published = async () => {
      const { keys } = Jwks.parse(await (await app.request(links.jwks)).json());
      return keys.map(({ x }) => `whpk_${Buffer.from(x, "base64url").toString("base64")}`);
    };
    const rotated = await call("POST", `/v1/endpoints/${id}/rotate`, {
      body: { secret, overlap_seconds: 60 },
    });
    const shown = Endpoint.parse(await rotated.json());
    expect(shown.public_key).not.toBe(firstKey);
    expect(shown).toMatchObject({
      secret,
      secrets: [{ signs_until: null }, { signs_until: new Date(clock.now() + 60_000).toISOString() }],
    });
    const signatures = async () => {
      await call("POST", `/v1/endpoints/${id}/ping`);
      await run();
      return posted
        .at(-1)
        ?.headers["webhook-signature"]?.split(" ")
        .map((each) => each.split(",")[0]);
    };
    expect(await signatures()).toEqual(["v1", "v1", "v1a", "v1a"]);
    expect(await published()).toEqual([shown.public_key, firstKey]);
    await clock.advance(60_000);
    expect(await signatures()).toEqual(["v1", "v1a"]);
    expect(await published()).toEqual([shown.public_key]);
  });

  it("rotate by a day, and to a secret of ours, if nothing is said", async () => {
    const { call, register, clock } = await world();
    const { id, secret: first } = await register();
    const response = await call("POST", `/v1/endpoints/${id}/rotate`);
    const endpoint = Endpoint.parse(await response.json());
    expect(endpoint.secret).toMatch(/^whsec_/);
    expect(endpoint.secret).not.toBe(first);
    expect(endpoint.secrets[1]?.signs_until).toBe(new Date(clock.now() + 86_400_000).toISOString());
  });

  it("publish their key for everybody, and nobody else's", async () => {
    const { app, register } = await world();
    const { links, public_key: publicKey } = await register();
    const response = await app.request(links.jwks);
    const [key, ...others] = Jwks.parse(await response.json()).keys;
    expect(key).toMatchObject({ kty: "OKP", crv: "Ed25519" });
    expect(others).toEqual([]);
    expect(Buffer.from(key?.x ?? "", "base64url").toString("base64")).toBe(publicKey.slice("whpk_".length));
    expect((await app.request("/.well-known/webhooks/ep_nonsense/jwks.json")).status).toBe(404);
  });
});

describe("bad input", () => {
  it.each([
    ["an HTTP URL", { url: "http://example.com/" }, "url"],
    ["a private address", { url: "https://10.0.0.1/" }, "url"],
    ["a decimal loopback address", { url: "https://2130706433/" }, "url"],
    ["a mapped address", { url: "https://[::ffff:169.254.169.254]/" }, "url"],
    ["a local host", { url: "https://printer.local/" }, "url"],
    ["a single label", { url: "https://intranet/" }, "url"],
    ["userinfo", { url: "https://me:secret@example.com/" }, "url"],
    ["an odd port", { url: "https://example.com:22/" }, "url"],
    ["a URL of 3 KB", { url: `https://example.com/${"x".repeat(3_072)}` }, "url"],
    ["no URL at all", { url: "not a url" }, "url"],
    ["an unknown event", { events: ["job.exploded"] }, "events[0]"],
    ["no event", { events: [] }, "events"],
    ["a secret that is too short", { secret: `whsec_${Buffer.alloc(23).toString("base64")}` }, "secret"],
    ["a secret without its prefix", { secret: Buffer.alloc(32).toString("base64") }, "secret"],
    ["an unknown field", { colour: "red" }, "colour"],
  ])(
    "%s is refused by its field, for endpoints and for jobs, and nothing is stored",
    async (_, about, field) => {
      const { call, ports } = await world();
      const endpoint = await call("POST", "/v1/endpoints", { body: { url, ...about } });
      expect(await problemOf(endpoint)).toMatchObject({ status: 400, errors: [{ field }] });
      const body = { prompt: "A banana", webhook: { url, ...about } };
      const job = await call("POST", "/v1/jobs", { body });
      expect(await problemOf(job)).toMatchObject({ status: 400, errors: [{ field: `webhook.${field}` }] });
      expect(await ports.endpoints.list("acme")).toEqual([]);
      expect(await ports.endpoints.loadSigner("acme")).toBeNull();
      const jobs = await ports.jobs.list({ tenant: "acme", status: null, cursor: null, limit: 1 });
      expect(jobs.jobs).toEqual([]);
    },
  );

  it.each([
    ["leads inside", ["93.184.215.14", "10.0.0.1"], "it leads to 10.0.0.1, which isn't public"],
    ["can't be found", [], "try again when it can be found"],
  ])("an endpoint's URL is refused while its name %s", async (_, addresses, message) => {
    const { call, ports, hosts, register } = await world();
    hosts.set("hooks.example.com", addresses);
    const about = { url: "https://hooks.example.com/" };
    const refusal = { status: 400, errors: [{ field: "url", message: expect.stringContaining(message) }] };
    expect(await problemOf(await call("POST", "/v1/endpoints", { body: about }))).toMatchObject(refusal);
    expect(await ports.endpoints.list("acme")).toEqual([]);

    const { id } = await register();
    expect(await problemOf(await call("PATCH", `/v1/endpoints/${id}`, { body: about }))).toMatchObject(
      refusal,
    );
    expect(await ports.endpoints.list("acme")).toMatchObject([{ url }]);

    hosts.set("hooks.example.com", ["93.184.215.14"]);
    expect((await call("PATCH", `/v1/endpoints/${id}`, { body: about })).status).toBe(200);
  });

  it("an endpoint's URL that stays as it is is looked up by nobody again", async () => {
    const { call, hosts, register } = await world();
    const { id } = await register({ url: "https://hooks.example.com/" });
    hosts.set("hooks.example.com", []);
    const body = { url: "https://hooks.example.com/", description: "New" };
    expect((await call("PATCH", `/v1/endpoints/${id}`, { body })).status).toBe(200);
  });

  it("a job's own URL is looked up by nobody before it is tried", async () => {
    const { submit, hosts } = await world();
    hosts.set("hooks.example.com", []);
    await submit({ prompt: "A banana", webhook: { url: "https://hooks.example.com/" } });
  });

  it("the URL of an endpoint that isn't there is looked up by nobody", async () => {
    const { call, hosts } = await world();
    hosts.set("hooks.example.com", []);
    const body = { url: "https://hooks.example.com/" };
    const response = await call("PATCH", "/v1/endpoints/ep_nonsense", { body });
    expect((await problemOf(response)).code).toBe("endpoint_not_found");
  });

  it.each([
    ["POST", "/rotate", { overlap_seconds: 604_801 }, "overlap_seconds"],
    ["POST", "/recover?since=yesterday", undefined, "since"],
    ["POST", "/recover", undefined, "since"],
    ["PATCH", "", {}, "(body)"],
    ["PATCH", "", { url: "https://127.0.0.1/" }, "url"],
  ])("%s %s with %j is refused by its field", async (method, path, body, field) => {
    const { call, register } = await world();
    const { id } = await register();
    const response = await call(method, `/v1/endpoints/${id}${path}`, { body });
    expect(await problemOf(response)).toMatchObject({ status: 400, errors: [{ field }] });
  });

  it.each([
    ["", "endpoint"],
    ["job=nonsense", "job"],
    ["endpoint=nonsense", "endpoint"],
    ["endpoint=inline&status=lost", "status"],
    ["endpoint=inline&cursor=nonsense", "cursor"],
  ])("a list of deliveries by %j is refused by its field", async (query, field) => {
    const { call } = await world();
    expect(await problemOf(await call("GET", `/v1/deliveries?${query}`))).toMatchObject({
      status: 400,
      errors: [{ field }],
    });
  });
});

describe("deliveries", () => {
  it("tell how a job ended, as the published schema says, and are listed by job and endpoint", async () => {
    const { register, submit, work, run, posted, list, call } = await world();
    const { id } = await register();
    const { job } = await submit();
    await work(sampleAnswer());
    expect((await list(`job=${job.id}`)).data).toMatchObject([
      { status: "pending", job_id: job.id, endpoint: id },
    ]);
    await run();
    const body = JSON.parse(posted[0]?.body ?? "");
    expect(payloadSchemas.get("job.succeeded")?.parse(body)).toEqual(body);
    const schemas = await (await call("GET", "/v1/webhook-schemas")).json();
    expect(Object.keys(z.looseObject({ schemas: z.looseObject({}) }).parse(schemas).schemas)).toHaveLength(5);
    expect((await call("GET", "/v1/webhook-schemas/job.succeeded")).status).toBe(200);
    expect((await call("GET", "/v1/webhook-schemas/job.exploded")).status).toBe(404);

    const [delivered] = (await list(`endpoint=${id}&status=delivered`)).data;
    expect(delivered).toMatchObject({
      webhook_id: posted[0]?.headers["webhook-id"],
      try_count: 1,
      event: { type: "job.succeeded" },
    });
    expect((await list(`endpoint=${id}&status=exhausted`)).data).toEqual([]);
    expect(await (await call("GET", `/v1/deliveries/${delivered?.id}`)).json()).toMatchObject({
      status: "delivered",
      tries: [{ number: 1, status: 200, ms: 9, error: null, answer: { text: "thank you", is_whole: true } }],
    });
  });

  it("go to the URL that came with the job, signed by the tenant's secret, and the job shows no secret", async () => {
    const { canceled, run, posted, list, call, read } = await world();
    const own = await canceled({ webhook: { url, secret, events: ["job.canceled"] } });
    await canceled({ webhook: { url, events: ["job.failed"] } });
    await run();
    expect(posted.map((posting) => posting.url)).toEqual([url]);
    expect(JSON.stringify(await read(own.id))).not.toContain(secret);
    expect(posted[0]?.body).not.toContain(secret);
    expect(await read(own.id)).toMatchObject({ webhook: { url, events: ["job.canceled"] } });
    expect((await list("endpoint=inline")).data).toMatchObject([{ job_id: own.id, endpoint: null }]);
    const signer = await call("GET", "/v1/webhook-secret");
    expect(await signer.json()).toMatchObject({ secret: expect.stringMatching(/^whsec_/) });
    const rotated = await call("POST", "/v1/webhook-secret/rotate", { body: { secret } });
    expect(await rotated.json()).toMatchObject({ secret });
  });

  it("can be made again under the same webhook-id, whatever became of them", async () => {
    const { register, canceled, run, posted, list, call } = await world();
    const { id } = await register();
    await canceled();
    await run();
    const [{ id: delivery } = { id: "" }] = (await list(`endpoint=${id}`)).data;
    const again = await call("POST", `/v1/deliveries/${delivery}/redeliver`);
    expect(again.status).toBe(202);
    await run();
    expect(posted).toHaveLength(2);
    expect(new Set(posted.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    await call("DELETE", `/v1/endpoints/${id}`);
    expect((await problemOf(await call("POST", `/v1/deliveries/${delivery}/redeliver`))).code).toBe(
      "endpoint_not_found",
    );
  });

  it("are shown to their tenant alone", async () => {
    const { register, canceled, list, call, keyFor } = await world();
    const { id } = await register();
    const job = await canceled();
    const [{ id: delivery } = { id: "" }] = (await list(`endpoint=${id}`)).data;
    const key = await keyFor("globex");
    for (const query of [`endpoint=${id}`, `job=${job.id}`]) {
      const response = await call("GET", `/v1/deliveries?${query}`, { key });
      expect(DeliveryList.parse(await response.json()).data).toEqual([]);
    }
    for (const [method, path] of [
      ["GET", ""],
      ["POST", "/redeliver"],
    ] as const) {
      const response = await call(method, `/v1/deliveries/${delivery}${path}`, { key });
      expect((await problemOf(response)).code).toBe("delivery_not_found");
    }
  });

  it("are kept for 30 days after their event, however late they are delivered again", async () => {
    const { register, canceled, run, list, call, clock, posted } = await world();
    const { id } = await register();
    const job = await canceled();
    await run();
    const [{ id: delivery } = { id: "" }] = (await list(`endpoint=${id}`)).data;
    const redeliver = () => call("POST", `/v1/deliveries/${delivery}/redeliver`);
    await clock.advance(30 * 86_400_000 - 1);
    expect((await redeliver()).status).toBe(202);
    expect((await list(`job=${job.id}`)).data).toHaveLength(1);
    expect((await list(`endpoint=${id}`)).data).toHaveLength(1);

    await clock.advance(1);
    for (const query of [`job=${job.id}`, `endpoint=${id}`]) expect((await list(query)).data).toEqual([]);
    expect((await problemOf(await call("GET", `/v1/deliveries/${delivery}`))).code).toBe(
      "delivery_not_found",
    );
    expect((await problemOf(await redeliver())).code).toBe("delivery_not_found");
    await run();
    expect(posted).toHaveLength(2);
  });

  it("that an endpoint missed more than 30 days ago are not recovered, nor resumed", async () => {
    const { register, canceled, run, posted, call, script, clock } = await world();
    const { id } = await register();
    const since = new Date(clock.now()).toISOString();
    const gone = { type: "answered", status: 410, retryAfter: null, isWhole: true, ms: 1 } as const;
    script.push({ ...gone, body: new Uint8Array() });
    for (const _ of ["exhausted", "parked"]) {
      await canceled();
      await run();
    }
    await clock.advance(30 * 86_400_000);
    expect((await call("PATCH", `/v1/endpoints/${id}`, { body: { enabled: true } })).status).toBe(200);
    const response = await call("POST", `/v1/endpoints/${id}/recover?since=${since}`);
    expect(await response.json()).toMatchObject({ recovered: 0, complete: true });
    await run();
    expect(posted).toHaveLength(1);
  });

  it("that were delivered again and parked are resumed, however old their events are", async () => {
    const { register, canceled, run, posted, list, call, clock } = await world();
    const { id } = await register();
    await canceled();
    await run();
    await clock.advance(5 * 86_400_000);
    const [{ id: delivery } = { id: "" }] = (await list(`endpoint=${id}`)).data;
    await call("POST", `/v1/deliveries/${delivery}/redeliver`);
    await call("PATCH", `/v1/endpoints/${id}`, { body: { enabled: false } });
    await run();
    expect((await list(`endpoint=${id}`)).data).toMatchObject([{ status: "parked" }]);
    const enabled = await call("PATCH", `/v1/endpoints/${id}`, { body: { enabled: true } });
    expect(await enabled.json()).toMatchObject({ enabled: true, resumed: 1, complete: true });
    await run();
    expect(posted).toHaveLength(2);
  });

  it("are all resumed by enabling their endpoint again, where one time was too short for that", async () => {
    const { register, canceled, run, posted, call, clock, ports } = await world();
    const { id } = await register({ enabled: false });
    for (let count = 0; count < 25; count += 1) await canceled();
    await run();
    const { send } = ports.deliveryQueue;
    Object.assign(ports.deliveryQueue, {
      send: async (...args: Parameters<typeof send>) => {
        await send(...args);
        await clock.advance(15_000);
      },
    });
    const enable = async () =>
      (await call("PATCH", `/v1/endpoints/${id}`, { body: { enabled: true } })).json();
    expect(await enable()).toMatchObject({ enabled: true, resumed: 20, complete: false });
    expect(await enable()).toMatchObject({ enabled: true, resumed: 5, complete: true });
    await run();
    expect(posted).toHaveLength(25);
    const renamed = await call("PATCH", `/v1/endpoints/${id}`, { body: { description: "New" } });
    expect(await renamed.json()).not.toHaveProperty("complete");
  });

  it("are listed page by page", async () => {
    const { register, canceled, list } = await world();
    const { id } = await register();
    for (let count = 0; count < 3; count += 1) await canceled();
    const first = await list(`endpoint=${id}&limit=2`);
    const second = await list(`endpoint=${id}&limit=2&cursor=${first.next_cursor}`);
    expect([first.data.length, second.data.length, second.next_cursor]).toEqual([2, 1, null]);
  });

  it("that an endpoint missed are recovered, and those parked resumed when it is enabled", async () => {
    const { register, canceled, run, posted, list, call, script, clock } = await world();
    const { id } = await register();
    const gone = { type: "answered", status: 410, retryAfter: null, isWhole: true, ms: 1 } as const;
    script.push({ ...gone, body: new Uint8Array() });
    await canceled();
    await run();
    const since = new Date(clock.now() - 1_000).toISOString();
    await clock.advance(1_000);
    await canceled();
    await run();
    const recover = () => call("POST", `/v1/endpoints/${id}/recover?since=${since}`);
    expect((await problemOf(await recover())).code).toBe("endpoint_disabled");
    expect((await list(`endpoint=${id}`)).data.map(({ status }) => status)).toEqual(["parked", "exhausted"]);

    await call("PATCH", `/v1/endpoints/${id}`, { body: { enabled: true } });
    await run();
    expect((await list(`endpoint=${id}`)).data.map(({ status }) => status)).toEqual([
      "delivered",
      "exhausted",
    ]);
    expect(await (await recover()).json()).toEqual({ object: "recovery", recovered: 1, complete: true });
    await run();
    expect((await list(`endpoint=${id}&status=delivered`)).data).toHaveLength(2);
    expect(posted).toHaveLength(3);
    expect(await (await recover()).json()).toMatchObject({ recovered: 0 });
  });
});
