import { dynamoKeys } from "@plantain/aws/dynamo-keys";
import { issueKey, keyEntropyBytes } from "@plantain/core/tenant/key";
import type { Keys } from "@plantain/core/tenant/ports";
import { seededRandom } from "@plantain/memory/clock";
import { memoryKeys } from "@plantain/memory/keys";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emulatedTable } from "./emulators.ts";

/** What every implementation of the `Keys` port does. */
function keysContract(name: string, start: () => Promise<{ keys: Keys; stop(): Promise<void> }>) {
  describe(`Keys, ${name}`, () => {
    let keys: Keys;
    let stop: () => Promise<void>;
    beforeAll(async () => ({ keys, stop } = await start()));
    afterAll(() => stop());

    it("finds a key by its hash, and stores none twice", async () => {
      const about = { tenant: "acme", scopes: ["jobs:read", "jobs:write"], at: 1 } as const;
      const { key } = issueKey(about, seededRandom(5).bytes(keyEntropyBytes));
      expect(await keys.find(key.sha256)).toBeNull();
      await keys.put(key);
      expect(await keys.find(key.sha256)).toEqual(key);
      await expect(keys.put({ ...key, tenant: "other" })).rejects.toThrow();
      expect(await keys.find(key.sha256)).toEqual(key);
    });
  });
}

keysContract("in memory", async () => ({ keys: memoryKeys(), stop: async () => undefined }));
keysContract("on DynamoDB", async () => {
  const { client, name, stop } = await emulatedTable();
  return { keys: dynamoKeys(client, name), stop };
});
