import { expect, test } from "vitest";
import { type Crc, createCrc32, createCrc32c, createCrc64Nvme } from "./crc.ts";

const CHECK = Buffer.from("123456789");

test.each<[string, () => Crc, string]>([
  ["CRC-32", createCrc32, "cbf43926"],
  ["CRC-32C", createCrc32c, "e3069283"],
  ["CRC-64/NVME", createCrc64Nvme, "ae8b14860a799888"],
])("%s of the standard check string is the catalogue's value", (_name, create, expected) => {
  const crc = create();
  crc.update(CHECK);
  expect(crc.digest().toString("hex")).toBe(expected);
});

test.each<[string, () => Crc]>([
  ["CRC-32", createCrc32],
  ["CRC-32C", createCrc32c],
  ["CRC-64/NVME", createCrc64Nvme],
])("%s does not depend on how the bytes are cut", (_name, create) => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7919) % 256));
  const whole = create();
  whole.update(bytes);
  const pieces = create();
  for (const [from, to] of [
    [0, 1],
    [1, 9],
    [9, 10],
    [10, 500],
    [500, 513],
    [513, 1000],
  ] as const) {
    pieces.update(bytes.subarray(from, to));
  }
  expect(pieces.digest()).toEqual(whole.digest());
});
