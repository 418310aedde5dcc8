import { sampleJob, sampleRunning } from "@plantain/memory/samples";
import { describe, expect, it } from "vitest";
import type { HeldReason } from "../capacity/held.ts";
import { deadlineExceeded, nextTryTooLate } from "./closing-failures.ts";
import type { Failure } from "./failure.ts";

const words: Failure = { code: "text_only", message: "No picture", billed: "yes" };
const heldFor = (reason: HeldReason) =>
  sampleJob({ held: { by: "model:m", reason, since: 0, until: null }, lastFailure: words });

describe("a passed deadline", () => {
  it("of an attempt that was paying may have cost something", () => {
    expect(deadlineExceeded(sampleRunning({ paying: [0], lastFailure: words }))).toEqual({
      code: "deadline_exceeded",
      message: "The job's deadline passed; an attempt was still under way",
      billed: "unknown",
    });
  });

  it("of a job that waited for a place says for which", () => {
    const message = (reason: HeldReason) => deadlineExceeded(heldFor(reason)).message;
    expect(message("tenant_limit")).toMatch(/; it waited for other jobs of its tenant$/);
    expect(message("model_limit")).toMatch(/; it waited for other calls to its model$/);
    expect(message("billing")).toMatch(/; it waited for its model, which is held up by billing$/);
  });

  it("tells the failure of the latest attempt, and its bill", () => {
    const told = { code: "deadline_exceeded", message: expect.stringMatching(/; the latest attempt ended/) };
    expect(deadlineExceeded(sampleJob({ lastFailure: words }))).toMatchObject({ ...told, billed: "yes" });
    const idle = deadlineExceeded(sampleRunning({ lastFailure: words }));
    expect(idle, "a worker that paid for nothing yet").toMatchObject({ ...told, billed: "yes" });
    expect(idle.message).toContain("text_only: No picture");
  });

  it("of a job that no worker ever took cost nothing", () => {
    expect(deadlineExceeded(sampleJob())).toMatchObject({
      message: expect.stringContaining("no worker was free"),
      billed: "no",
    });
  });
});

describe("a next try that would come too late", () => {
  it("is told with the failure that asked for it", () => {
    const failure = nextTryTooLate(words);
    expect(failure).toMatchObject({ code: "deadline_exceeded", billed: "yes" });
    expect(failure.message).toContain(
      "after the job's deadline; the latest ended with text_only: No picture",
    );
  });
});
