import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDataFolder } from "./data-folder.ts";
import { LockHeld, takeLock } from "./lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "plantain-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a lock", () => {
  test("is held by one and free again when given back", () => {
    const file = join(folder, "lock");
    const release = takeLock(file);
    expect(() => takeLock(file)).toThrow(LockHeld);
    release();
    takeLock(file)();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("of a process that is gone is taken over", async () => {
    const file = join(folder, "lock");
    const script = `import(${JSON.stringify(new URL("./lock.ts", import.meta.url).href)}).then((m) => m.takeLock(${JSON.stringify(file)}))`;
    await once(spawn(process.execPath, ["-e", script]), "exit");
    expect(existsSync(file)).toBe(true);
    takeLock(file)();
    expect(existsSync(file)).toBe(false);
  });

  test("of a process whose number another one has by now is taken over", () => {
    const file = join(folder, "lock");
    writeFileSync(file, `${process.pid} 1`);
    takeLock(file)();
  });
});

describe("a data folder", () => {
  test("is created and refused to a second process until it is released", () => {
    const path = join(folder, "deep/data");
    const data = openDataFolder(path);
    expect(() => openDataFolder(path)).toThrow(
      `Cannot use data folder "${path}": process ${process.pid} uses it; stop that one, or choose another folder with --data`,
    );
    data.release();
    openDataFolder(path).release();
  });

  test("is given without what the run before left half done", () => {
    const data = openDataFolder(folder);
    mkdirSync(data.assembly);
    writeFileSync(data.apiKey, "kept");
    writeFileSync(join(folder, "lock"), "1 gone");
    const next = openDataFolder(folder);
    expect(readdirSync(folder).sort()).toEqual(["api-key", "lock"]);
    next.release();
  });

  test("without a name is temporary", () => {
    const data = openDataFolder();
    expect(existsSync(dirname(data.apiKey))).toBe(true);
    data.release();
    expect(existsSync(dirname(data.apiKey))).toBe(false);
  });

  test("that cannot be written to is named together with the way out", () => {
    writeFileSync(join(folder, "file"), "");
    expect(() => openDataFolder(join(folder, "file/data"))).toThrow(
      /^Cannot use data folder ".*file\/data": .*; choose a folder you may write to with --data$/,
    );
  });
});
