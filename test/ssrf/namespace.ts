import { execFileSync, spawnSync } from "node:child_process";
import { readlinkSync } from "node:fs";

/*
 * A network of its own, in which every address there is leads to this machine: what would leave it arrives at the canary.
 */

/** As root, or as whoever then is root there alone. */
const ways = [["--net"], ["--net", "--map-root-user"]];

/**
 * Runs a script again in a network namespace, and gives its exit code.
 * @throws Error when this machine allows none
 */
export function runInNamespace(script: string): number {
  const way = ways.find((flags) => spawnSync("unshare", [...flags, "true"]).status === 0);
  if (!way) {
    throw new Error(
      "Cannot make a network namespace: it takes unshare (util-linux), and a kernel and a container that allow it",
    );
  }
  const args = [...way, process.execPath, script, "--outside", currentNamespace()];
  return spawnSync("unshare", args, { stdio: "inherit" }).status ?? 1;
}

/**
 * Makes every address local.
 * @param outside the namespace that this isn't, so that no real network is ever changed
 */
export function makeEveryAddressLocal(outside: string): void {
  if (currentNamespace() === outside)
    throw new Error("Cannot change routes: this is no namespace of its own");
  for (const line of ["link set lo up", "route add local 0.0.0.0/0 dev lo", "-6 route add local ::/0 dev lo"])
    execFileSync("ip", line.split(" "));
}

function currentNamespace(): string {
  return readlinkSync("/proc/self/ns/net");
}
