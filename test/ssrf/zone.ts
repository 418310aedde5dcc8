import { isIPv6 } from "node:net";
import { evil, good, inside } from "./cases.ts";

/** What name servers say: addresses of one type, and no such name of any other. */
export function zone(): (name: string, type: "A" | "AAAA") => readonly string[] | "no_such_name" {
  const resolves = new Map([...evil, ...good].map((each) => [URL.parse(each.url)?.hostname, each.resolves]));
  const times = new Map<string, number>();
  return (name, type) => {
    if (name === inside) return type === "A" ? ["127.0.0.1"] : [];
    const answers = resolves.get(name);
    if (!answers || answers.length === 0) return "no_such_name";
    const time = (times.get(name) ?? 0) + (type === "A" ? 1 : 0); // A is asked first, then AAAA
    times.set(name, time);
    const addresses = answers[Math.min(time, answers.length) - 1] ?? [];
    return addresses.filter((address) => isIPv6(address) === (type === "AAAA"));
  };
}
