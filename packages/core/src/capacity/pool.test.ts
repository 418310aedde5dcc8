import { sampleJob } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { JobId } from "../id.ts";
import type { Failure, FailureCode } from "../job/failure.ts";
import { newGate } from "./gate.ts";
import { isPoolName, modelPool, tenantPool } from "./held.ts";
import { boundsOf } from "./limits.ts";
import {
  type Bounds,
  emptyPool,
  giveBack,
  inFlight,
  knock,
  leaveLine,
  lineUp,
  nextTurn,
  opensAt,
  type Pool,
  type Request,
  request,
  served,
} from "./pool.ts";

const now = Date.UTC(2026, 10, 1);
const bounds: Bounds = { keys: ["first"], ceiling: 3, longestClosureMs: 900_000, isAdaptive: true };
const twoKeys: Bounds = { ...bounds, keys: ["first", "second"] };
const tenants: Bounds = { ...bounds, keys: ["jobs"], ceiling: 2, isAdaptive: false };
const empty = emptyPool("model:m");
const [a, b, c, d] = [sampleJob().id, sampleJob().id, sampleJob().id, sampleJob().id] as const;

const ask = (job: JobId, about: Partial<Request> = {}): Request => ({
  job,
  fence: 1,
  calls: 1,
  at: now,
  until: now + 60_000,
  isNext: false,
  ...about,
});
const taken = (pool: Pool, asked: Request, within: Bounds = bounds) => {
  const came = request(pool, asked, within);
  if (!("slot" in came)) throw new Error(`Full: ${came.full.reason}`);
  return came;
};
const full = (pool: Pool, asked: Request, within: Bounds = bounds) => {
  const came = request(pool, asked, within);
  if ("slot" in came) throw new Error("There was a slot");
  return came;
};
const refused = (code: FailureCode): Failure => ({ code, message: "…", billed: "no" });
const closed = (code: FailureCode, until: number) => ({
  ...newGate(3),
  limit: 1,
  closedUntil: until,
  closedBy: code,
  strikes: 1,
});

describe("a request", () => {
  it("takes a slot for as many calls as it wants, or as there are left", () => {
    const first = taken(empty, ask(a, { calls: 2 }));
    expect(first.slot).toEqual({ fence: 1, key: "first", calls: 2, until: now + 60_000 });
    const second = taken(first.pool, ask(b, { calls: 4 }));
    expect(second.slot.calls).toBe(1);
    const third = full(second.pool, ask(c));
    expect(third.full).toEqual({ reason: "model_limit", until: null });
    expect(third.pool).toBe(second.pool);
    expect(inFlight(second.pool, "first", now)).toBe(3);
  });

  it("of a tenant's pool says that it is the tenant's limit", () => {
    const { pool } = taken(taken(empty, ask(a), tenants).pool, ask(b), tenants);
    expect(full(pool, ask(c), tenants).full).toEqual({ reason: "tenant_limit", until: null });
  });

  it("repeated, keeps what it has and holds it longer, also while others wait", () => {
    const { pool } = taken(empty, ask(a, { calls: 2 }));
    const waited = lineUp(pool, "globex", now);
    const again = taken(waited, ask(a, { calls: 4, until: now + 90_000 }));
    expect(again.slot).toMatchObject({ fence: 1, calls: 2, until: now + 90_000 });
    expect(taken(again.pool, ask(a)).slot.until, "never shorter").toBe(now + 90_000);
  });

  it("repeated once the gate is closed, gives up what was kept for it", () => {
    const { pool } = taken(empty, ask(a));
    const shut = { ...pool, gates: { first: closed("billing", now + 1) } };
    const came = full(shut, ask(a));
    expect(came.full).toEqual({ reason: "billing", until: now + 1 });
    expect(came.pool.slots).toEqual({});
    expect(taken(shut, ask(a, { at: now + 1, until: now + 2 })).slot.until, "it is open again").toBe(
      now + 60_000,
    );
  });

  it("of the next attempt takes over the slot of the dead one, ahead of those that wait", () => {
    const { pool } = taken(taken(empty, ask(a, { calls: 2 })).pool, ask(b));
    const next = taken(lineUp(pool, "globex", now), ask(a, { fence: 2, calls: 2 }));
    expect(next.slot).toMatchObject({ fence: 2, calls: 2 });
    expect(inFlight(next.pool, "first", now)).toBe(3);
  });

  it("of the next attempt gives up the slot of the dead one where the gate is closed", () => {
    const { pool } = taken(empty, ask(a));
    const came = full({ ...pool, gates: { first: closed("rate_limited", now + 5) } }, ask(a, { fence: 2 }));
    expect(came.full).toEqual({ reason: "rate_limited", until: now + 5 });
    expect(came.pool.slots).toEqual({});
  });

  it("of an outdated attempt doesn't take the slot from its successor", () => {
    const { pool } = taken(empty, ask(a, { fence: 2 }));
    expect(taken(pool, ask(a, { fence: 1 })).slot.fence).toBe(2);
  });

  it("finds slots free whose time is over", () => {
    const { pool } = taken(empty, ask(a, { calls: 3, until: now + 10 }));
    expect(full(pool, ask(b, { at: now + 9 })).full.reason).toBe("model_limit");
    expect(taken(pool, ask(b, { at: now + 10 })).pool.slots).toEqual({
      [b]: { fence: 1, key: "first", calls: 1, until: now + 60_000 },
    });
  });

  it("doesn't overtake those that wait, but for the one whose turn it is", () => {
    const waited = lineUp(empty, "globex", now);
    expect(full(waited, ask(a)).full.reason).toBe("model_limit");
    expect(taken(waited, ask(a, { isNext: true })).slot.calls).toBe(1);
  });

  it("goes to the key with the most room, and around one that is closed", () => {
    const first = taken(empty, ask(a, { calls: 2 }), twoKeys);
    expect(first.slot.key).toBe("first");
    expect(taken(first.pool, ask(b), twoKeys).slot.key).toBe("second");
    const shut = { ...first.pool, gates: { second: closed("billing", now + 1) } };
    expect(taken(shut, ask(b), twoKeys).slot.key).toBe("first");
  });

  it("leaves a key that the deployment has no more", () => {
    const { pool } = taken(empty, ask(a), { ...bounds, keys: ["old"] });
    expect(taken(pool, ask(a)).slot.key).toBe("first");
  });

  it("is told of what is closed only where everything is, and of what opens first", () => {
    const gates = { first: closed("billing", now + 50), second: closed("rate_limited", now + 20) };
    expect(full({ ...empty, gates }, ask(a), twoKeys).full).toEqual({
      reason: "rate_limited",
      until: now + 20,
    });
    const probing = taken(empty, ask(b, { isNext: true })).pool;
    const waiting = { ...probing, gates: { first: { ...closed("rate_limited", now), limit: 1 } } };
    expect(full(waiting, ask(a)).full, "the probe is under way").toEqual({
      reason: "rate_limited",
      until: null,
    });
    const one = { ...lineUp(empty, "globex", now), gates: { first: closed("billing", now + 50) } };
    expect(full(one, ask(a), twoKeys).full).toEqual({ reason: "model_limit", until: null });
  });
});

describe("a slot that is given back", () => {
  it("is free, once, and only by the attempt that has it", () => {
    const { pool } = taken(empty, ask(a, { fence: 2 }));
    expect(giveBack(pool, { job: a, fence: 1, heard: [], at: now }, bounds)).toBe(pool);
    const free = giveBack(pool, { job: a, fence: 2, heard: [], at: now }, bounds);
    expect(free.slots).toEqual({});
    expect(giveBack(free, { job: a, fence: 2, heard: [], at: now }, bounds)).toBe(free);
  });

  it("teaches the gate of its key how its calls ended", () => {
    const { pool } = taken(empty, ask(a, { calls: 2 }), twoKeys);
    const heard = [
      { startedAt: now, answeredAt: now + 5, failure: null },
      { startedAt: now, answeredAt: now + 9, failure: refused("rate_limited") },
    ];
    const after = giveBack(pool, { job: a, fence: 1, heard, at: now + 9 }, twoKeys);
    expect(after.gates).toMatchObject({ first: { closedBy: "rate_limited", closedUntil: now + 2_009 } });
    expect(opensAt(after, twoKeys, now + 9), "the other key is open").toBe(now + 9);
    expect(opensAt(after, bounds, now + 9)).toBe(now + 2_009);
    expect(opensAt(after, bounds, now + 3_000)).toBe(now + 3_000);
  });

  it("widens a gate that was at least half in use", () => {
    const wide: Bounds = { ...bounds, ceiling: 20 };
    const heard = [{ startedAt: now + 1, answeredAt: now + 5, failure: null }];
    const limitAfter = (calls: number) => {
      const others = taken(empty, ask(b, { calls: calls - 1 }), wide).pool;
      const { pool } = taken(others, ask(a), wide);
      return giveBack(pool, { job: a, fence: 1, heard, at: now + 5 }, wide).gates.first?.limit;
    };
    expect(limitAfter(5)).toBe(11);
    expect(limitAfter(4)).toBe(10);
  });

  it("teaches a tenant's pool nothing", () => {
    const { pool } = taken(empty, ask(a), tenants);
    const heard = [{ startedAt: now, answeredAt: now, failure: refused("rate_limited") }];
    expect(giveBack(pool, { job: a, fence: 1, heard, at: now }, tenants).gates).toEqual({});
  });
});

describe("the line", () => {
  const anyone = () => false;

  it("serves tenants in turn, whoever has waited longest first", () => {
    let pool = lineUp(lineUp(lineUp(empty, "b", now), "a", now + 1), "c", now);
    const order: (string | null)[] = [];
    for (let turn = 2; turn < 6; turn += 1) {
      const next = nextTurn(pool, bounds, now, anyone);
      order.push(next);
      pool = served(pool, next ?? "", now + turn);
    }
    expect(order).toEqual(["b", "c", "a", "b"]);
  });

  it("lets whoever comes new go ahead of whoever was just served, but not of one that has waited for long", () => {
    const busy = served(lineUp(empty, "busy", now), "busy", now);
    const soon = lineUp(busy, "new", now + 299_000);
    expect(nextTurn(soon, bounds, now, anyone)).toBe("new");
    const late = lineUp(busy, "new", now + 300_001);
    expect(nextTurn(late, bounds, now, anyone)).toBe("busy");
  });

  it("keeps the place of a tenant that comes again, and notes that it came, but not each time", () => {
    const pool = lineUp(lineUp(empty, "a", now), "b", now + 1);
    expect(lineUp(pool, "a", now + 999)).toBe(pool);
    const again = lineUp(pool, "a", now + 1_000);
    expect(again.waiting.a).toEqual({ since: pool.waiting.a?.since, joinedAt: now + 1_000 });
    expect(nextTurn(again, bounds, now, anyone)).toBe("a");
  });

  it("doesn't move while there is no slot, and passes whom it is told to", () => {
    const pool = lineUp(lineUp(empty, "a", now), "b", now + 1);
    expect(nextTurn(pool, bounds, now, (tenant) => tenant === "a")).toBe("b");
    expect(nextTurn(pool, bounds, now, () => true)).toBeNull();
    const busy = taken(pool, ask(d, { calls: 3, isNext: true })).pool;
    expect(nextTurn(busy, bounds, now, anyone)).toBeNull();
    expect(nextTurn(empty, bounds, now, anyone)).toBeNull();
  });

  it("is left by a tenant that has nothing waiting, unless a job of its may have been held since", () => {
    const pool = lineUp(empty, "a", now);
    expect(leaveLine(pool, "a", now + 999)).toBe(pool);
    expect(leaveLine(pool, "b", now + 1_000)).toBe(pool);
    expect(leaveLine(pool, "a", now + 1_000).waiting).toEqual({});
    expect(served(empty, "a", now), "who isn't in it isn't put there").toBe(empty);
  });
});

describe("a knock", () => {
  const shut = { ...empty, gates: { first: closed("billing", now + 50) } };

  it("is needed once for each closure that somebody waits for", () => {
    expect(knock(shut, bounds, now), "nobody waits").toBe(shut);
    const waited = lineUp(shut, "acme", now);
    const noted = knock(waited, bounds, now);
    expect(noted.knockAt).toBe(now + 50);
    expect(knock(noted, bounds, now + 1)).toBe(noted);
    const longer = { ...noted, gates: { first: closed("billing", now + 90) } };
    expect(knock(longer, bounds, now + 50).knockAt).toBe(now + 90);
    expect(knock(waited, bounds, now + 50), "it is open").toBe(waited);
    expect(knock(waited, twoKeys, now), "another key is open").toBe(waited);
  });
});

describe("pools", () => {
  it("are named by what they are of", () => {
    expect([tenantPool("acme"), modelPool("m")]).toEqual(["tenant:acme", "model:m"]);
    expect(["tenant:acme", "model:m", "acme", ""].map(isPoolName)).toEqual([true, true, false, false]);
  });

  it("have the bounds of the deployment: jobs of a tenant, calls to a model under each key", () => {
    const limits = { jobsPerTenant: 5, callsPerModel: 9, longestClosureMs: 7, providerKeys: ["x", "y"] };
    expect(boundsOf("tenant:acme", limits)).toMatchObject({ ceiling: 5, isAdaptive: false });
    expect(boundsOf("tenant:acme", limits).keys).toHaveLength(1);
    expect(boundsOf("model:m", limits)).toEqual({
      keys: ["x", "y"],
      ceiling: 9,
      longestClosureMs: 7,
      isAdaptive: true,
    });
  });
});
