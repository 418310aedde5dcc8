/**
 * Makes an API key in a deployed stage and prints it, once: `npm run key -- --table NAME [--tenant NAME]`.
 * Uses the AWS credentials and region of whoever runs it.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { issueKey, keyEntropyBytes } from "@plantain/core/tenant/key";
import { connectDynamo } from "./clients.ts";
import { dynamoKeys } from "./dynamo-keys.ts";

const { values } = parseArgs({
  options: { table: { type: "string" }, tenant: { type: "string", default: "default" } },
});
const { table, tenant } = values;
if (table === undefined) {
  refuse("give the tenants table, --table <the stack's output TenantsTableName>");
} else if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(tenant)) {
  refuse(`--tenant "${tenant}" has to be 1 to 63 lower-case letters, digits and hyphens`);
} else {
  const about = { tenant, scopes: ["jobs:read", "jobs:write", "webhooks:admin"], at: Date.now() } as const;
  const { key, text } = issueKey(about, randomBytes(keyEntropyBytes));
  await dynamoKeys(connectDynamo(), table).put(key);
  console.log(`Key ${key.id} of tenant "${tenant}". It is shown this once; only its hash is kept:\n${text}`);
}

function refuse(why: string): void {
  console.error(`Cannot make a key: ${why}`);
  process.exitCode = 1;
}
