import { describe, expect, it } from "vitest";
import { isWithin } from "./address.ts";

describe("a public address", () => {
  it.each([
    "1.1.1.1",
    "93.184.215.14",
    "100.63.255.255",
    "172.32.0.1",
    "2606:4700::1111",
    "2a00:1450:4001::1",
  ])("%s is within reach", (address) => expect(isWithin("public", address)).toBe(true));

  it.each([
    ["this network", "0.0.0.0", "0.1.2.3"],
    ["loopback", "127.0.0.1", "127.255.255.254", "::1"],
    ["private", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1"],
    ["link-local", "169.254.169.254", "169.254.170.2", "fe80::1"],
    ["carrier-grade NAT", "100.64.0.1", "100.100.100.200", "100.127.255.255"],
    ["protocol assignments", "192.0.0.1", "192.0.0.192", "2001:1::1"],
    ["documentation", "192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    ["benchmarking", "198.18.0.1", "198.19.255.255", "2001:2::1"],
    ["multicast and beyond", "224.0.0.1", "240.0.0.1", "255.255.255.255", "ff02::1"],
    ["unspecified", "::"],
    [
      "IPv4 in IPv6, whatever it is",
      "::ffff:127.0.0.1",
      "::ffff:8.8.8.8",
      "::127.0.0.1",
      "::ffff:0:127.0.0.1",
    ],
    ["IPv4 behind a translator", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::1", "2001::1"],
    ["local to a site", "fc00::1", "fd00:ec2::254", "fec0::1"],
    ["never given out", "100::1", "4000::1", "5f00::1"],
    ["in a zone", "2606:4700::1111%eth0"],
    [
      "none as the kernel writes it",
      "",
      "1.1",
      "0x01010101",
      "16843009",
      "01.1.1.1",
      "example.com",
      "[2606::1]",
    ],
  ])("is not one that is %s", (_, ...addresses) => {
    expect(addresses.filter((address) => isWithin("public", address))).toEqual([]);
  });
});

describe("a loopback address", () => {
  it("is this machine's and no other", () => {
    const addresses = [
      "127.0.0.1",
      "127.8.8.8",
      "::1",
      "0.0.0.0",
      "::",
      "1.1.1.1",
      "10.0.0.1",
      "::ffff:127.0.0.1",
    ];
    expect(addresses.filter((address) => isWithin("loopback", address))).toEqual([
      "127.0.0.1",
      "127.8.8.8",
      "::1",
    ]);
  });
});
