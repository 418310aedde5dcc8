import type { Download, Downloader } from "@plantain/core/job/ports";
import type { Dice } from "./dice.ts";
import { onePixel } from "./one-pixel.ts";
import type { Profile } from "./profile.ts";

/** The rest of the Internet: every URL leads to a picture, at each request to another one, if it leads anywhere. */
export function web(dice: Dice, { providerFailures }: Profile): Downloader {
  let served = 0;
  return {
    async download(): Promise<Download> {
      if (dice.chance(providerFailures)) return dice.pick(misfortunes);
      served += 1;
      const bytes = onePixel(firstServed + served);
      return { type: "downloaded", bytes: [bytes], size: bytes.length };
    },
  };
}

/** Unlike those that tenants send. */
const firstServed = 1_000_000;

const misfortunes: readonly Download[] = [
  { type: "refused", status: 503 },
  { type: "refused", status: 503 },
  { type: "refused", status: 404 },
  { type: "failed", code: "timed_out", message: "It didn't answer" },
  { type: "failed", code: "dns_failed", message: "Its name servers are silent" },
];

/**
 * As a worker reaches it: what happens on the way is an answer too.
 * @param onFailure hears of URLs that didn't lead to a picture
 */
export function answering({ download }: Downloader, onFailure: (url: string) => void): Downloader {
  return {
    async download(file) {
      const answer = await download(file).catch(() => broken);
      if (answer.type !== "downloaded") onFailure(file.url);
      return answer;
    },
  };
}

const broken: Download = { type: "failed", code: "connection_lost", message: "The connection broke" };
