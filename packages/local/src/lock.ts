import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** Another process holds the lock. */
export class LockHeld extends Error {
  override readonly name = "LockHeld";
  readonly pid: number;

  constructor(file: string, pid: number) {
    super(`Lock "${file}" is held by process ${pid}`);
    this.pid = pid;
  }
}

/**
 * Takes the lock kept in `file` for this process; one left by a process that is gone is taken over.
 * Throws LockHeld while its holder lives.
 * @returns gives the lock back
 */
export function takeLock(file: string): () => void {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${startOf(process.pid)}`);
  try {
    // Linking is the atomic step: it fails where a lock is, and the file is never seen half written.
    if (!linked(mine, file)) {
      const [pid = 0, start] = readHolder(file);
      if (isAlive(pid) && startOf(pid) === start) throw new LockHeld(file, pid);
      rmSync(file, { force: true });
      if (!linked(mine, file)) throw new LockHeld(file, readHolder(file)[0] ?? 0);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  return () => rmSync(file, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function readHolder(file: string): [number?, string?] {
  try {
    const [pid, start = ""] = readFileSync(file, "utf8").split(" ");
    return [Number(pid), start];
  } catch {
    return []; // given back in this moment
  }
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/**
 * When a process started, in the kernel's ticks: in a container the same small numbers come back after each restart,
 * so a pid alone does not tell a holder from a stranger. Empty where there is no /proc.
 */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
