import type { Change } from "../mutate.ts";
import { job, type Mutant, memory } from "./mutant.ts";

const sharedKey: Change = {
  file: `${job}keys.ts`,
  find: "export function imageKey(job: Owned, fence: number, index: number): string {",
  replace:
    "export function imageKey(job: Owned, _fence: number, index: number): string {\n  const fence = 1;",
};

/** Guards of what is stored, so that nothing is paid for twice and nothing shown that isn't so. */
export const storeMutants: readonly Mutant[] = [
  {
    name: "no-adoption",
    guard: "what an earlier attempt has stored isn't paid for again",
    changes: [
      {
        file: `${job}run-attempt.ts`,
        find: "claimed.fence > 1\n      ? await insist",
        replace: "claimed.fence < 0\n      ? await insist",
      },
    ],
    profile: "default",
    fate: { killedWithin: 50 },
  },
  {
    name: "outcome-without-picture",
    guard: "an outcome counts when its picture is there",
    changes: [
      {
        file: `${job}adopt.ts`,
        find: "(await objects.size(imageKey(job, fence, index))) !== null",
        replace: 'imageKey(job, fence, index) !== ""',
      },
    ],
    profile: "stores",
    fate: { killedWithin: 50 },
  },
  {
    name: "picture-first",
    guard: "the outcome is stored before the picture, so that no picture is without its bill",
    changes: [
      {
        file: `${job}pay.ts`,
        find: "await store(ports, signal, outcomeKey(job, job.fence, index), encodeJson(outcome));",
        replace:
          "for (const { key, image } of pictures) await store(ports, signal, key, image);\n  await store(ports, signal, outcomeKey(job, job.fence, index), encodeJson(outcome));",
      },
    ],
    profile: "stores",
    fate: { killedWithin: 50 },
  },
  {
    name: "shared-picture-key",
    guard: "each attempt has its own keys",
    changes: [sharedKey],
    profile: "stores",
    fate: { killedWithin: 50 },
  },
  {
    name: "shared-key-no-adoption",
    guard: "attempts neither share their keys nor pay again for what is stored",
    changes: [
      sharedKey,
      {
        file: `${job}run-attempt.ts`,
        find: "claimed.fence > 1\n      ? await insist",
        replace: "claimed.fence < 0\n      ? await insist",
      },
    ],
    profile: "stores",
    fate: { killedWithin: 50 },
  },
  {
    name: "objects-overwritten",
    guard: "an object is written once, so that not even a shared key lets bytes change",
    changes: [
      sharedKey,
      {
        file: `${memory}objects.ts`,
        find: "if (!there) objects.set(key, whole);",
        replace: 'if (!there || key !== "") objects.set(key, whole);',
      },
    ],
    profile: "stores",
    fate: { killedWithin: 50 },
  },
  {
    name: "fetched-for-each-attempt",
    guard: "what a URL led to is kept for all attempts of a job",
    changes: [
      {
        file: `${job}inputs.ts`,
        find: "return inputKey(job, sha256Hex(url));",
        replace: 'return inputKey(job, sha256Hex(url + ("fence" in job ? job.fence : 0)));',
      },
    ],
    profile: "provider",
    fate: { killedWithin: 50 },
  },
  {
    name: "own-bytes-refused",
    guard: "finding one's own bytes under a key is success",
    changes: [{ file: `${memory}objects.ts`, find: "else if (!whole.equals(there))", replace: "else" }],
    profile: "stores",
    fate: { killedWithin: 200 },
  },
  {
    name: "no-insistence",
    guard: "a write that must not be lost is repeated",
    changes: [
      {
        file: `${job}insist.ts`,
        find: "} catch (error) {",
        replace: "} catch (error) {\n      throw error;",
      },
    ],
    profile: "stores",
    fate: { killedWithin: 50 },
  },
  {
    name: "bill-overwritten",
    guard: "a bill that is known is never made unknown again",
    changes: [
      {
        file: `${job}attempt.ts`,
        find: 'if (before && before.billed !== "unknown") continue;',
        replace: "",
      },
    ],
    profile: "zombies",
    fate: { killedWithin: 300 },
  },
];
