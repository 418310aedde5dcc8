import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

const script = `
import { printTo } from ${JSON.stringify(new URL("./print.ts", import.meta.url).href)};
const print = printTo(2);
for (let n = 0; n < 20_000; n += 1) print("worker", "x".repeat(500));
console.log("still going");
setImmediate(() => process.exit(0));
`;

/** Runs the script in a shell line, where \`$NODE\` is it; descriptor 3 is what this gives back. */
async function shell(line: string): Promise<string> {
  const child = spawn(
    "sh",
    ["-c", line.replace("$NODE", '"$0" --input-type=module -e "$1"'), process.execPath, script],
    {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    },
  );
  const output = child.stdio[3];
  if (output === null || output === undefined || !("read" in output)) throw new Error("No descriptor 3");
  return text(output);
}

test("a reader that never reads holds nothing up", async () => {
  expect(await shell("$NODE 2>&1 >&3 | sleep 1")).toBe("still going\n");
});

test("a reader that went away ends nothing", async () => {
  expect(await shell("$NODE 2>&1 >&3 | true")).toBe("still going\n");
});

test("lines come out under the name of their source", async () => {
  expect(await shell("$NODE 2>&1 | head -n 1 | cut -c 1-12 >&3")).toBe("worker | xxx\n");
});
