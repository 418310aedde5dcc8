import * as z from "zod";
import type { Keyring } from "./authentication.ts";
import { readCredential } from "./credential.ts";
import { MAX_OBJECT_BYTES } from "./incoming-body.ts";
import { S3Error } from "./s3-error.ts";
import { ALGORITHM, hmacHex, sameSignature, signingKey } from "./signature.ts";

type Fields = ReadonlyMap<string, string>;

const Size = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]);
const Condition = z.union([
  z.record(z.string(), z.string()).refine((record) => Object.keys(record).length === 1),
  z.tuple([z.literal("content-length-range"), Size, Size]),
  z.tuple([z.enum(["eq", "starts-with"]), z.string().startsWith("$"), z.string()]),
]);
type Condition = z.infer<typeof Condition>;
const Policy = z.object({ expiration: z.iso.datetime(), conditions: z.array(Condition) });

/** Fields a form carries besides what its policy speaks about. */
const EXEMPT: ReadonlySet<string> = new Set(["policy", "x-amz-signature", "file"]);

/**
 * Checks signature, expiry and conditions of the policy in a form. `key` is the one the object will get, with
 * `${filename}` filled in. Returns how many bytes the file may have.
 * Throws `AccessDenied`, `SignatureDoesNotMatch`, `InvalidAccessKeyId`, `InvalidArgument` or `InvalidPolicyDocument`.
 */
export function checkPolicy(
  form: Fields,
  target: { readonly bucket: string; readonly key: string },
  keyring: Keyring,
): { min: number; max: number } {
  const encoded = form.get("policy");
  if (encoded === undefined) throw new S3Error("AccessDenied", "Access Denied");
  checkSignature(form, encoded, keyring);
  const policy = parsePolicy(encoded);
  if (keyring.now() > Date.parse(policy.expiration)) throw violation("Policy expired.");
  const fields = new Map([...form, ["bucket", target.bucket], ["key", target.key]]);
  const allowed = new Set<string>(["bucket"]);
  const range = { min: 0, max: MAX_OBJECT_BYTES };
  for (const condition of policy.conditions) {
    if (Array.isArray(condition) && condition[0] === "content-length-range") {
      range.min = Math.max(range.min, condition[1]);
      range.max = Math.min(range.max, condition[2]);
      continue;
    }
    const { operator, field, value } = normalise(condition);
    allowed.add(field);
    const actual = fields.get(field);
    const holds = operator === "eq" ? actual === value : actual?.startsWith(value) === true;
    if (!holds) throw violation(`Policy Condition failed: ${JSON.stringify(condition)}`);
  }
  const extra = [...form.keys()].filter(
    (name) => !allowed.has(name) && !EXEMPT.has(name) && !name.startsWith("x-ignore-"),
  );
  if (extra.length > 0) throw violation(`Extra input fields: ${extra.join(", ")}`);
  return range;
}

function checkSignature(form: Fields, encoded: string, { credentials, region }: Keyring): void {
  const field = (name: string): string => {
    const value = form.get(name);
    if (value === undefined) {
      throw new S3Error(
        "InvalidArgument",
        `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
        { ArgumentName: name, ArgumentValue: "" },
      );
    }
    return value;
  };
  if (field("x-amz-algorithm") !== ALGORITHM) {
    throw new S3Error("InvalidArgument", `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  }
  const { accessKeyId, scope } = readCredential(
    field("x-amz-credential"),
    region,
    field("x-amz-date"),
    "AuthorizationQueryParametersError",
  );
  if (accessKeyId !== credentials.accessKeyId) {
    throw new S3Error(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
      {
        AWSAccessKeyId: accessKeyId,
      },
    );
  }
  const expected = hmacHex(signingKey(credentials.secretAccessKey, scope), encoded);
  if (!sameSignature(field("x-amz-signature"), expected)) {
    throw new S3Error(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
      { AWSAccessKeyId: accessKeyId, StringToSign: encoded },
    );
  }
}

function parsePolicy(encoded: string): z.infer<typeof Policy> {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(encoded, "base64").toString("utf8"));
  } catch {
    throw new S3Error("InvalidPolicyDocument", "Invalid Policy: Invalid JSON.");
  }
  const policy = Policy.safeParse(json);
  if (!policy.success) {
    throw new S3Error("InvalidPolicyDocument", `Invalid Policy: ${z.prettifyError(policy.error)}`);
  }
  return policy.data;
}

function normalise(condition: Exclude<Condition, readonly ["content-length-range", number, number]>): {
  operator: string;
  field: string;
  value: string;
} {
  if (Array.isArray(condition)) {
    const [operator, field, value] = condition;
    return { operator, field: field.slice(1).toLowerCase(), value };
  }
  const [[field, value] = ["", ""]] = Object.entries(condition);
  return { operator: "eq", field: field.toLowerCase(), value };
}

function violation(what: string): S3Error {
  return new S3Error("AccessDenied", `Invalid according to Policy: ${what}`);
}
