import { type Fault, type Plan, wholeNumber } from "./fault.ts";

/** Answers with an image, but not as one would expect. */
export const variantFaults: readonly Fault[] = [
  {
    ...variant("MULTI_IMAGE", "several images, none marked as a thought, each billed", (plan, argument) => ({
      ...plan,
      images: wholeNumber(argument, 2),
    })),
    argument: "how many, 2 by default",
  },
  {
    ...variant("THOUGHT_IMAGES", "thought images before the answer, not billed", (plan, argument) => ({
      ...plan,
      thoughtImages: wholeNumber(argument, 2),
    })),
    argument: "how many, 2 by default",
  },
  variant("WRONG_MIME", "the declared type is not that of the bytes", (plan) => ({
    ...plan,
    wrongMime: true,
  })),
  variant("WRONG_SIZE", "the image does not have the size asked for", (plan) => ({
    ...plan,
    wrongSize: true,
  })),
  variant("NO_SIGNATURE", "no thought signature", (plan) => ({ ...plan, signatureBytes: 0 })),
  {
    ...variant("BIG_SIGNATURE", "a thought signature of 1 MB", (plan, argument) => ({
      ...plan,
      signatureBytes: wholeNumber(argument, 1_000_000),
    })),
    argument: "its bytes before base64",
  },
];

function variant(name: string, what: string, change: (plan: Plan, argument: string | null) => Plan): Fault {
  return { name, what: `200: ${what}`, billed: true, effect: { kind: "variant", change } };
}
