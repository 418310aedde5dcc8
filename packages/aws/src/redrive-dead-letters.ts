/**
 * Moves dead letters back: `npm run redrive -- --from <dead letters' URL> --to <queue's URL>`. For when the cause is
 * gone and the sweep's next look would be too late. Uses the AWS credentials and region of whoever runs it.
 */
import { parseArgs } from "node:util";
import { connectSqs } from "./clients.ts";
import { redrive } from "./sqs-redrive.ts";

const { values } = parseArgs({ options: { from: { type: "string" }, to: { type: "string" } } });
const { from, to } = values;
if (from === undefined || to === undefined) {
  console.error("Cannot move dead letters: give --from <the dead letters' URL> and --to <the queue's URL>");
  process.exitCode = 1;
} else {
  const moved = await redrive(connectSqs(), from, to);
  console.log(`Moved ${moved} message${moved === 1 ? "" : "s"}`);
}
