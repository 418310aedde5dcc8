import { describe, expect, it } from "vitest";
import { DomainError } from "./error.ts";

describe("a refusal", () => {
  it("tells what, where in the request, and what would be taken", () => {
    const error = new DomainError("unknown_model", "There is no such model", {
      field: "model",
      allowed: ["nano-banana"],
    });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "DomainError",
      message: "There is no such model",
      code: "unknown_model",
      field: "model",
      allowed: ["nano-banana"],
    });
  });

  it("needs neither field nor choices", () => {
    const { field, allowed } = new DomainError("job_not_found", "There is no such job");
    expect([field, allowed]).toEqual([undefined, undefined]);
  });
});
