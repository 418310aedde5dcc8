import type { SignedUrls } from "@plantain/core/job/ports";

/** Addresses that lead nowhere, in the shape of signed ones. For tests. */
export const memorySignedUrls: SignedUrls = {
  async sign(key, at, fileName) {
    const signedAt = Math.floor(at / 300_000) * 300_000;
    return {
      url: `https://images.test/${key}?name=${fileName}&at=${signedAt}`,
      expiresAt: signedAt + 900_000,
    };
  },
};
