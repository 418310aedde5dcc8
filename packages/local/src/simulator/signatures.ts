import { createHmac, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import { bytesFrom, sha256 } from "./random.ts";

/** Whom a thought signature was issued for: it is refused with another key or model, or on another image. */
export type SignatureScope = { model: string; key: string; image: Buffer | null };

export type Signatures = {
  /** A base64 thought signature of about `length` bytes before encoding. */
  issue: (scope: SignatureScope, length: number) => string;
  /** "corrupted" when it was not issued here, "foreign" when it was issued for something else. */
  check: (signature: Buffer, scope: SignatureScope) => "valid" | "corrupted" | "foreign";
};

/** Enough to be clearly opaque; the real ones are at least this long. */
export const usualSignatureBytes = 384;

/** Google documents these two for history that another model made. */
const dummies = ["context_engineering_is_the_way_to_go", "skip_thought_signature_validator"];
const acceptedDummies = new Set(dummies.flatMap((text) => [text, Buffer.from(text).toString("base64url")]));

const macBytes = 32;
const Claims = z.object({ model: z.string(), project: z.string(), image: z.nullable(z.string()) });

/** Issues and checks signatures; with the same seed they stay valid over restarts. */
export function createSignatures(seed: number): Signatures {
  const secret = `simulated thought signatures, seed ${seed}`;
  const macOf = (data: Buffer) => createHmac("sha256", secret).update(data).digest();
  return {
    issue(scope, length) {
      const claims = Buffer.from(`${JSON.stringify(claimsOf(scope))}\n`);
      const padding = bytesFrom(claims.toString(), Math.max(0, length - claims.length - macBytes));
      const data = Buffer.concat([claims, padding]);
      return Buffer.concat([macOf(data), data]).toString("base64");
    },
    check(signature, scope) {
      if (acceptedDummies.has(signature.toString("base64url"))) return "valid";
      const data = signature.subarray(macBytes);
      const mac = signature.subarray(0, macBytes);
      if (mac.length !== macBytes || !timingSafeEqual(mac, macOf(data))) return "corrupted";
      const claims = Claims.parse(JSON.parse(data.toString("utf8", 0, data.indexOf("\n"))));
      const expected = claimsOf(scope);
      const same =
        claims.model === expected.model &&
        claims.project === expected.project &&
        claims.image === expected.image;
      return same ? "valid" : "foreign";
    },
  };
}

function claimsOf({ model, key, image }: SignatureScope): z.infer<typeof Claims> {
  return { model, project: sha256(key).slice(0, 16), image: image === null ? null : sha256(image) };
}
