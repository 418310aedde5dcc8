import { dayExceeded, exhausted, minuteExceeded } from "./quota-errors.ts";
import { Refusal } from "./refusal.ts";

/** Limits for each key and model; a limit left out does not apply. */
export type Quota = {
  /** Requests per minute. */
  rpm?: number;
  /** Images per minute. */
  ipm?: number;
  /** Requests per day, counted until midnight Pacific. */
  rpd?: number;
};

export type QuotaKeeper = {
  /** Takes one request and one image; throws a 429 Refusal, taking nothing, when a limit is reached. */
  take: (key: string, model: string, now: number) => void;
  clear: () => void;
};

type Bucket = { level: number; at: number };
type Account = { requests: Bucket; images: Bucket; day: string; today: number };

/** Keeps token buckets that start full and refill evenly; `now` is in epoch milliseconds. */
export function createQuota(limits: Quota): QuotaKeeper {
  const accounts = new Map<string, Account>();
  const { rpm = Number.POSITIVE_INFINITY, ipm = Number.POSITIVE_INFINITY } = limits;
  const { rpd = Number.POSITIVE_INFINITY } = limits;
  return {
    take(key, model, now) {
      const day = pacificDay(now);
      const id = JSON.stringify([key, model]);
      const known = accounts.get(id);
      const account: Account = {
        requests: refill(known?.requests, rpm, now),
        images: refill(known?.images, ipm, now),
        day,
        today: known?.day === day ? known.today : 0,
      };
      accounts.set(id, account);
      if (account.today >= rpd) throw new Refusal(dayExceeded(model, rpd));
      if (account.requests.level < 1) {
        const seconds = ((1 - account.requests.level) * 60) / rpm;
        throw new Refusal(minuteExceeded(model, rpm, `${seconds.toFixed(9)}s`));
      }
      if (account.images.level < 1) throw new Refusal(exhausted());
      account.requests.level -= 1;
      account.images.level -= 1;
      account.today += 1;
    },
    clear() {
      accounts.clear();
    },
  };
}

function refill(bucket: Bucket | undefined, perMinute: number, now: number): Bucket {
  if (bucket === undefined || perMinute === Number.POSITIVE_INFINITY) return { level: perMinute, at: now };
  const gained = ((now - bucket.at) / 60_000) * perMinute;
  return { level: Math.min(perMinute, bucket.level + gained), at: now };
}

const pacific = new Intl.DateTimeFormat("en-CA", { timeZone: "America/Los_Angeles" });

function pacificDay(now: number): string {
  return pacific.format(now);
}
