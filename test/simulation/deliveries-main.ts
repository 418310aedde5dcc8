/**
 * Runs seeds of the half of the system that delivers webhooks, up to the first that broke something, and prints that as JSON:
 * `node test/simulation/deliveries-main.ts [--from N] [--seeds N] [--profile NAME | --at EFFECT] [--trace]`.
 * With `--at`, processes freeze before that effect, and nothing else goes wrong.
 */
import { parseArgs } from "node:util";
import { simulateDeliveries } from "./deliveries.ts";
import { aimed, profileNames, profiles } from "./profile.ts";

const { values } = parseArgs({
  options: {
    from: { type: "string", default: "1" },
    seeds: { type: "string", default: "10" },
    profile: { type: "string", default: "default" },
    at: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});
const name = profileNames.find((each) => each === values.profile);
if (!name) throw new Error(`Cannot simulate "${values.profile}": choose one of ${profileNames.join(", ")}`);
const profile = values.at === undefined ? profiles[name] : aimed(values.at, "freeze_before");
const broken: { seed: number; violation: string }[] = [];
const from = Number(values.from);
for (let seed = from; seed < from + Number(values.seeds) && broken.length === 0; seed += 1) {
  const { violations } = await simulateDeliveries(seed, profile, values.trace ? console.log : null);
  broken.push(...violations.map((violation) => ({ seed, violation })));
}
console.log(JSON.stringify(broken));
