import type { JobId } from "../id.ts";
import { type Gate, type GateBounds, type Heard, hear, newGate, width } from "./gate.ts";
import type { HeldReason, PoolName } from "./held.ts";

/** A place of one attempt in a pool. */
export type Slot = {
  readonly fence: number;
  /** The provider key that its calls use; in a tenant's pool the only one there is. */
  readonly key: string;
  /** Calls that it may have in flight. */
  readonly calls: number;
  /** From then on the slot is free, whatever became of its owner. Epoch milliseconds. */
  readonly until: number;
};

/** A tenant's place in the line. Epoch milliseconds. */
export type Waiting = {
  /** When it was last served: whose turn is longest ago is next. One that comes new counts as if it had waited a while. */
  readonly since: number;
  /** When about a job of its was last held here. */
  readonly joinedAt: number;
};

/**
 * What of one model, or of one tenant, is in use, and who waits for it. Slots run out by themselves, so that nothing has
 * to be counted down when a worker dies.
 */
export type Pool = {
  readonly name: PoolName;
  readonly slots: Readonly<Partial<Record<JobId, Slot>>>;
  /** Tenants with held jobs. */
  readonly waiting: Readonly<Record<string, Waiting>>;
  /** When a message will come to see whether the gates are open again; 0 where none was sent yet. */
  readonly knockAt: number;
  /** By provider key. */
  readonly gates: Readonly<Record<string, Gate>>;
  /** Counts every write; 0 where nothing was written yet. */
  readonly version: number;
};

/** What may be in a pool. */
export type Bounds = GateBounds & {
  /** What shares the load: provider keys, or for a tenant one name. Of a tenant the ceiling counts jobs. */
  readonly keys: readonly string[];
  /** Whether the gates learn from how calls end. */
  readonly isAdaptive: boolean;
};

export type Request = {
  readonly job: JobId;
  readonly fence: number;
  /** Calls wanted; fewer may be granted. */
  readonly calls: number;
  readonly at: number;
  readonly until: number;
  /** It is this job's turn: it passes those that wait. */
  readonly isNext: boolean;
};

export type Full = { readonly reason: HeldReason; readonly until: number | null };

export function emptyPool(name: PoolName): Pool {
  return { name, slots: {}, waiting: {}, knockAt: 0, gates: {}, version: 0 };
}

/**
 * Takes a slot, renews the one that was kept for this attempt, or takes over that of a dead attempt of the same job.
 * Whoever comes while others wait is refused, so that nobody is overtaken.
 */
export function request(
  pool: Pool,
  asked: Request,
  bounds: Bounds,
): { readonly pool: Pool; readonly slot: Slot } | { readonly pool: Pool; readonly full: Full } {
  const { job, fence, calls, at, until, isNext } = asked;
  const live = liveSlots(pool, at);
  const { [job]: own, ...others } = live;
  if (own && own.fence >= fence && isOpen(pool, own.key, bounds, at)) {
    if (own.until >= until) return { pool, slot: own };
    const slot = { ...own, until };
    return { pool: { ...pool, slots: { ...live, [job]: slot } }, slot };
  }
  const without = own ? { ...pool, slots: others } : pool;
  const { key, free } = freest(without, bounds, at);
  const isBehind = !isNext && !own && Object.keys(pool.waiting).length > 0;
  if (isBehind || free <= 0) return { pool: without, full: whyFull(pool, bounds, at) };
  const slot = { fence, key, calls: Math.min(calls, free), until };
  return { pool: { ...pool, slots: { ...others, [job]: slot } }, slot };
}

/** Gives a slot back, unless another attempt has it by now, and tells how its calls ended. */
export function giveBack(
  pool: Pool,
  { job, fence, heard, at }: { job: JobId; fence: number; heard: readonly Heard[]; at: number },
  bounds: Bounds,
): Pool {
  const own = pool.slots[job];
  if (own?.fence !== fence) return pool;
  const { [job]: _, ...slots } = liveSlots(pool, at);
  if (!bounds.isAdaptive) return { ...pool, slots };
  const gate = gateOf(pool, own.key, bounds);
  const isFull = 2 * inFlight(pool, own.key, at) >= Math.floor(gate.limit);
  const learnt = heard.reduce((before, each) => hear(before, each, bounds, isFull), gate);
  return { ...pool, slots, gates: { ...pool.gates, [own.key]: learnt } };
}

/**
 * A tenant that comes new goes ahead of whoever was served within this: longer than the longest call, so that it never waits
 * for more than one of another's; but whoever was not served for so long is next whatever comes new.
 */
const newcomerCreditMs = 300_000;

/** Of ten thousand jobs that are held in a rush, not each has to be noted. */
const joinStepMs = 1_000;

/** Notes that a job of a tenant is held here; a tenant that waits already keeps its turn. */
export function lineUp(pool: Pool, tenant: string, at: number): Pool {
  const waits = pool.waiting[tenant];
  if (waits && at - waits.joinedAt < joinStepMs) return pool;
  const entry = { since: waits?.since ?? at - newcomerCreditMs, joinedAt: at };
  return { ...pool, waiting: { ...pool.waiting, [tenant]: entry } };
}

/** The tenant that has waited longest since it was last served, if there is a slot for it. */
export function nextTurn(
  pool: Pool,
  bounds: Bounds,
  at: number,
  isPassed: (tenant: string) => boolean,
): string | null {
  if (freest(pool, bounds, at).free <= 0) return null;
  const inLine = Object.entries(pool.waiting).filter(([tenant]) => !isPassed(tenant));
  const [first] = inLine.sort(([a, x], [b, y]) => x.since - y.since || (a < b ? -1 : 1));
  return first?.[0] ?? null;
}

/** A tenant that was served goes to the end of the line. */
export function served(pool: Pool, tenant: string, at: number): Pool {
  const waits = pool.waiting[tenant];
  return waits ? { ...pool, waiting: { ...pool.waiting, [tenant]: { ...waits, since: at } } } : pool;
}

/**
 * A tenant of which no held job was found leaves the line, unless one may have been held since.
 * @param before what was held by then would have been found
 */
export function leaveLine(pool: Pool, tenant: string, before: number): Pool {
  const { [tenant]: waits, ...waiting } = pool.waiting;
  return waits && waits.joinedAt + joinStepMs <= before ? { ...pool, waiting } : pool;
}

/** When a call may be made again, as far as the gates tell: `at` where one is open. */
export function opensAt(pool: Pool, bounds: Bounds, at: number): number {
  return Math.max(at, Math.min(...bounds.keys.map((key) => gateOf(pool, key, bounds).closedUntil)));
}

/** Notes that somebody will come when the gates open, where jobs wait for that and nobody would come by then. */
export function knock(pool: Pool, bounds: Bounds, at: number): Pool {
  const opens = opensAt(pool, bounds, at);
  const isNeeded = opens > at && pool.knockAt < opens && Object.keys(pool.waiting).length > 0;
  return isNeeded ? { ...pool, knockAt: opens } : pool;
}

/** Calls in flight under a key, by slots that still count. */
export function inFlight(pool: Pool, key: string, at: number): number {
  return Object.values(liveSlots(pool, at))
    .filter((slot) => slot?.key === key)
    .reduce((sum, slot) => sum + (slot?.calls ?? 0), 0);
}

function liveSlots({ slots }: Pool, at: number): Pool["slots"] {
  return Object.fromEntries(Object.entries(slots).filter(([, slot]) => slot && slot.until > at));
}

function gateOf(pool: Pool, key: string, { ceiling, isAdaptive }: Bounds): Gate {
  const fresh = newGate(ceiling);
  return pool.gates[key] ?? (isAdaptive ? fresh : { ...fresh, limit: ceiling });
}

/** Whether there is such a key, and its gate isn't closed: a place taken before it closed is no ticket. */
function isOpen(pool: Pool, key: string, bounds: Bounds, at: number): boolean {
  return bounds.keys.includes(key) && gateOf(pool, key, bounds).closedUntil <= at;
}

function freest(pool: Pool, bounds: Bounds, at: number): { key: string; free: number } {
  const places = bounds.keys.map((key) => ({
    key,
    free: width(gateOf(pool, key, bounds), bounds.ceiling, at) - inFlight(pool, key, at),
  }));
  return places.reduce((best, place) => (place.free > best.free ? place : best), { key: "", free: 0 });
}

function whyFull(pool: Pool, bounds: Bounds, at: number): Full {
  if (!bounds.isAdaptive) return { reason: "tenant_limit", until: null };
  const gates = bounds.keys.map((key) => gateOf(pool, key, bounds));
  const [first] = gates.toSorted((a, b) => a.closedUntil - b.closedUntil);
  if (!first?.closedBy) return { reason: "model_limit", until: null };
  return { reason: first.closedBy, until: first.closedUntil > at ? first.closedUntil : null };
}
