import { shardOf } from "@plantain/core/id";
import { dueShards } from "@plantain/core/job/ports";
import type { Dice } from "./dice.ts";
import type { Timeline } from "./timeline.ts";

/** The sparse index of what is due, which lags behind the items. */
export type DueIndex<Id> = {
  /**
   * Follows a write to an item.
   * @param by what its shard is drawn from
   * @param dueAt `null` takes it out
   * @param also what else the index shows by then
   */
  follow(id: Id, by: string, dueAt: number | null, also?: () => void): void;
  /** What is due at `at` as far as the index knows, earliest first. */
  due(shard: number, at: number, limit: number): { id: Id; dueAt: number }[];
};

/** @param late share of writes that it shows only after seconds */
export function dueIndex<Id>(
  { timeline, dice }: { timeline: Timeline; dice: Dice },
  late: number,
): DueIndex<Id> {
  const shards = Array.from({ length: dueShards }, () => new Map<Id, number>());
  const shownAt = new Map<Id, number>();
  return {
    // Each item in order, mostly at once, at times much later
    follow(id, by, dueAt, also) {
      const lag = dice.chance(late) ? dice.between(1_000, 20_000) : dice.lognormal(50, 1);
      const at = Math.max(timeline.now + lag, shownAt.get(id) ?? 0);
      shownAt.set(id, at);
      timeline.at(at, () => {
        const shard = shards[shardOf(by, dueShards)];
        if (dueAt === null) shard?.delete(id);
        else shard?.set(id, dueAt);
        also?.();
      });
    },
    due: (shard, at, limit) =>
      [...(shards[shard] ?? [])]
        .map(([id, dueAt]) => ({ id, dueAt }))
        .filter(({ dueAt }) => dueAt <= at)
        .sort((a, b) => a.dueAt - b.dueAt)
        .slice(0, limit),
  };
}
