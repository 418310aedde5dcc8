import type { JobId } from "../id.ts";
import { advance } from "../job/advance.ts";
import { isFinished, type Job, type QueuedJob } from "../job/job.ts";
import type { Policy } from "../job/policy.ts";
import { transition } from "../job/transition.ts";
import { changePool } from "./change-pool.ts";
import { type Held, heldBy, modelPool, type PoolName, tenantPool } from "./held.ts";
import { boundsOf } from "./limits.ts";
import { giveBack, knock, leaveLine, lineUp, nextTurn, type Pool, request, served } from "./pool.ts";
import type { CapacityPorts, Pools } from "./ports.ts";

/** Held jobs of one tenant that are looked at in one turn: the first may be over, or promoted by somebody else. */
const candidates = 5;
/** A wave: who lets in more has been at it for long enough, and each of those let in goes on. */
export const mostAtOnce = 20;
/** The index of held jobs may be this late: only after it is a tenant without any believed to have none. */
export const indexLagMs = 10_000;
/** A job that was held just now mostly shows within this. */
const looksApartMs = 250;
const looks = 3;

/** How long a place is kept for a job that is sent: long enough for whoever claims it, so that he needn't ask for more. */
export function reservedUntil({ arrivalMs, callMs }: Policy, at: number): number {
  return at + arrivalMs + 2 * callMs;
}

/** Puts a held job into the line of what holds it, and lets in whoever's turn it is. */
export async function standInLine(ports: CapacityPorts, job: QueuedJob): Promise<number> {
  if (!job.held) return 0;
  const { pool } = await changePool(ports.pools, job.held.by, (before) => ({
    pool: lineUp(before, job.tenant, ports.clock.now()),
  }));
  return promote(ports, pool, job);
}

/** One way through a line at a time, and the one after it once somebody has asked for it. */
type Pass = { readonly over: Promise<unknown>; next: { known: QueuedJob[]; letIn: Promise<number> } | null };
type Passes = Map<PoolName, Pass>;

/** The passes of this process, by store and pool. */
const passes = new WeakMap<Pools, Passes>();

/**
 * Lets in held jobs while there is room, from tenant to tenant in turn and each tenant's oldest first: their slot is
 * taken for them, then they are told by a message. Most of the time nobody waits, and then it costs nothing.
 *
 * Within a process one goes through a line at a time, and then one more for all that have asked meanwhile. Ten jobs that
 * end at once would otherwise all find the same few in front, and each would write for each of them.
 * @param known a job that is held, though the index may not show it yet
 * @returns how many were let in; of those that share a pass only one hears of them
 */
export async function promote(
  ports: CapacityPorts,
  seen: Pool,
  known: QueuedJob | null = null,
): Promise<number> {
  if (!isWorthALook(ports, seen)) return 0;
  const { pools } = ports;
  const ofStore: Passes = passes.get(pools) ?? new Map();
  passes.set(pools, ofStore);
  const own = known ? [known] : [];
  const underWay = ofStore.get(seen.name);
  if (!underWay) return begin(ofStore, ports, seen.name, seen, own);
  if (!underWay.next) {
    const letIn = underWay.over.then(() => begin(ofStore, ports, seen.name, null, own));
    underWay.next = { known: own, letIn };
    return letIn;
  }
  underWay.next.known.push(...own);
  await underWay.next.letIn;
  return 0;
}

function begin(
  ofStore: Passes,
  ports: CapacityPorts,
  name: PoolName,
  seen: Pool | null,
  known: QueuedJob[],
): Promise<number> {
  const gone = goThrough(ports, name, seen, known);
  const over = gone.then(
    () => undefined,
    () => undefined, // those that share it hear of it; the next has a pass of its own
  );
  const pass: Pass = { over, next: null };
  ofStore.set(name, pass);
  void over.then(() => {
    if (!pass.next) ofStore.delete(name);
  });
  // Only once the pass is over: a pass never waits for one of another line, which may wait for this one
  return gone.then(async ({ promoted, toWake }) => {
    for (const other of toWake) await promote(ports, await ports.pools.load(other));
    return promoted;
  });
}

/** Whether somebody waits, and there is room for him or a knock is due. */
function isWorthALook({ limits, clock }: CapacityPorts, seen: Pool): boolean {
  const bounds = boundsOf(seen.name, limits);
  const at = clock.now();
  return nextTurn(seen, bounds, at, () => false) !== null || knock(seen, bounds, at) !== seen;
}

async function goThrough(
  ports: CapacityPorts,
  name: PoolName,
  seen: Pool | null,
  known: QueuedJob[],
): Promise<{ readonly promoted: number; readonly toWake: ReadonlySet<PoolName> }> {
  const { pools, clock, limits } = ports;
  const bounds = boundsOf(name, limits);
  const passed = new Set<string>();
  const toWake = new Set<PoolName>();
  let pool = seen ?? (await pools.load(name));
  for (let steps = 0, promoted = 0; ; ) {
    const tenant = nextTurn(pool, bounds, clock.now(), (each) => passed.has(each));
    if (tenant === null) await knockLater(ports, pool, known);
    if (tenant === null || steps >= mostAtOnce) return { promoted, toWake };
    const came = await letInOne(ports, pool, tenant, known);
    if (came.letIn === "full") return { promoted, toWake };
    if (came.letIn === false) passed.add(tenant);
    else steps += 1;
    if (came.letIn === true) promoted += 1;
    if (came.toWake) toWake.add(came.toWake);
    pool = came.pool;
  }
}

/** Held jobs have no message, so somebody has to come when a closed gate opens: one message for all that wait. */
async function knockLater(ports: CapacityPorts, seen: Pool, known: QueuedJob[]): Promise<void> {
  const { name, waiting } = seen;
  const { pools, queue, clock, limits } = ports;
  const bounds = boundsOf(name, limits);
  const [first] = Object.keys(waiting);
  if (first === undefined || knock(seen, bounds, clock.now()) === seen) return;
  const { waiting: held } = await heldJobs(ports, name, known[0]?.tenant ?? first, known);
  const [job] = held;
  if (!job) return;
  const noted = await changePool(pools, name, (pool) => {
    const after = knock(pool, bounds, clock.now());
    return { pool: after, isMine: after !== pool };
  });
  if (noted.isMine) await queue.send(job, noted.pool.knockAt - clock.now());
}

/** What came of a tenant's turn, and the pool after it. */
type Turn = {
  readonly letIn: boolean | "full" | "elsewhere";
  readonly pool: Pool;
  /** The line that a job was moved to, where there is room for whoever is next in it. */
  readonly toWake?: PoolName | null;
};

/**
 * Lets in the tenant's oldest job that still waits; a tenant without any leaves the line. One whose jobs were all let in
 * by others meanwhile may have more behind those, which only the index can tell: it stays.
 */
async function letInOne(
  ports: CapacityPorts,
  before: Pool,
  tenant: string,
  known: QueuedJob[],
): Promise<Turn> {
  const { name, waiting } = before;
  const askedAt = ports.clock.now();
  const hasJustJoined = askedAt - (waiting[tenant]?.joinedAt ?? 0) < looks * looksApartMs;
  let isShown = false;
  let isOutrun = false;
  let pool = before;
  for (let look = 1; look <= looks; look += 1) {
    if (look > 1 && !isOutrun) await ports.clock.sleep(looksApartMs);
    const found = await heldJobs(ports, name, tenant, known);
    for (const job of found.waiting) {
      const turn = await letInJob(ports, name, job);
      if (turn.letIn !== false) return turn;
      pool = turn.pool;
    }
    isShown = found.isShown;
    isOutrun = found.waiting.length > 0;
    if (!hasJustJoined && !isShown) break;
  }
  if (isShown) return { letIn: false, pool };
  return {
    letIn: false,
    ...(await changePool(ports.pools, name, (now) => ({
      pool: leaveLine(now, tenant, askedAt - indexLagMs),
    }))),
  };
}

/**
 * The jobs of a tenant that wait here, oldest first, as they are in truth, and whether the index shows any.
 * @param known loses those that don't wait any more, which makes room for the next
 */
async function heldJobs(
  { jobs }: CapacityPorts,
  by: PoolName,
  tenant: string,
  known: QueuedJob[],
): Promise<{ readonly waiting: readonly QueuedJob[]; readonly isShown: boolean }> {
  const own = known.filter((job) => job.tenant === tenant).slice(0, candidates);
  const shown = await jobs.held(by, tenant, candidates);
  const ids = new Set<JobId>([...shown, ...own.map(({ id }) => id)]);
  const found = await Promise.all([...ids].map((id) => jobs.load(id)));
  const waiting = found.flatMap((job) => (job?.status === "queued" && job.held?.by === by ? [job] : []));
  for (const job of own) if (!waiting.some(({ id }) => id === job.id)) known.splice(known.indexOf(job), 1);
  return { waiting: waiting.sort((a, b) => a.createdAt - b.createdAt), isShown: shown.length > 0 };
}

/**
 * Slots first, here and in the job's other pool, then the job: who finds it promoted has both. Where it would have to
 * wait for the other one, it does so from now on, without a message to tell a worker of it.
 */
async function letInJob(ports: CapacityPorts, name: PoolName, job: QueuedJob): Promise<Turn> {
  const { pools, jobs, queue, clock, policy, limits } = ports;
  const fence = job.fence + 1;
  const at = clock.now();
  const until = reservedUntil(policy, at);
  const tenants = tenantPool(job.tenant);
  const other = name === tenants ? modelPool(job.model) : tenants;
  const take = async (from: PoolName) => {
    return changePool(pools, from, (pool) => {
      // It is its turn here; elsewhere it is behind other tenants, not behind its like
      const isNext = from === name || Object.keys(pool.waiting).every((tenant) => tenant === job.tenant);
      const asked = { job: job.id, fence, calls: from === tenants ? 1 : job.count, at, until, isNext };
      const came = request(pool, asked, boundsOf(from, limits));
      return "slot" in came && from === name ? { ...came, pool: served(came.pool, job.tenant, at) } : came;
    });
  };
  const leave = async (from: PoolName) =>
    changePool(pools, from, (pool) => ({
      pool: giveBack(pool, { job: job.id, fence, heard: [], at: clock.now() }, boundsOf(from, limits)),
    }));
  const taken = await take(name);
  if ("full" in taken) return { letIn: "full", pool: taken.pool };
  const elsewhere = await take(other);
  if ("full" in elsewhere) {
    const { pool } = await leave(name);
    const toWake = await holdElsewhere(ports, job, heldBy(other, elsewhere.full, at));
    return { letIn: "elsewhere", pool, toWake };
  }
  const promoted = await transition(jobs, job, { type: "promoted", at: clock.now() }, policy);
  if (promoted.refused === undefined) {
    await queue.send(job, 0);
    return { letIn: true, pool: taken.pool };
  }
  // It has no message that would bring it to its end
  if (promoted.refused === "deadline_passed")
    await transition(jobs, promoted.job ?? job, { type: "expired", at: clock.now() }, policy);
  if (isTakenBy(promoted.job, fence)) return { letIn: false, pool: taken.pool };
  await leave(other);
  return { letIn: false, pool: (await leave(name)).pool };
}

/** Puts a held job into another line, and answers which that is where somebody has to let in whoever is next in it. */
async function holdElsewhere(ports: CapacityPorts, job: QueuedJob, held: Held): Promise<PoolName | null> {
  const { pools, jobs, clock, policy, limits } = ports;
  const moved = advance(job, { type: "held", at: clock.now(), held }, policy);
  if ("refused" in moved) {
    if (moved.refused === "deadline_passed")
      await transition(jobs, job, { type: "expired", at: clock.now() }, policy);
    return null;
  }
  // Only over what was seen: a job that somebody has let in meanwhile has its places, and is not to be held again
  if (moved.status !== "queued" || !(await jobs.write(job, moved)).written) return null;
  const { pool } = await changePool(pools, held.by, (before) => ({
    pool: lineUp(before, job.tenant, clock.now()),
  }));
  if (nextTurn(pool, boundsOf(held.by, limits), clock.now(), () => false) !== null) return held.by;
  await knockLater(ports, pool, [moved]);
  return null;
}

/** Whoever was quicker to promote or claim a job has this very slot; one that is over, or still held, needs none. */
function isTakenBy(job: Job | null, fence: number): boolean {
  if (job === null || isFinished(job) || job.fence > fence) return false;
  return job.status === "running" || job.held === null;
}
