import { describe, expect, it } from "vitest";
import { imageKey, inputKey, metaPrefix, outcomeKey, partKey } from "./keys.ts";

const job = { tenant: "acme", id: "job_01m82v7m00fzzvzzzzzzzzzzzz" } as const;

/** Objects of years ago have to be found: a key that changes is a migration. */
describe("where a job's objects are", () => {
  it.each([
    ["all but its images", () => metaPrefix(job), "meta/acme/job_01m82v7m00fzzvzzzzzzzzzzzz/"],
    ["a reference image", () => inputKey(job, "ab12"), "meta/acme/job_01m82v7m00fzzvzzzzzzzzzzzz/in/ab12"],
    ["an outcome", () => outcomeKey(job, 3, 1), "meta/acme/job_01m82v7m00fzzvzzzzzzzzzzzz/3/1.json"],
    ["an interim picture", () => partKey(job, 3, 1, 0), "meta/acme/job_01m82v7m00fzzvzzzzzzzzzzzz/3/1.0"],
    ["an image", () => imageKey(job, 3, 1), "out/acme/job_01m82v7m00fzzvzzzzzzzzzzzz/3/1"],
  ])("is for %s where it has always been", (_name, key, always) => {
    expect(key()).toBe(always);
  });
});
