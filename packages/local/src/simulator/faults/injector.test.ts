import { describe, expect, it } from "vitest";
import { createInjector, type Injector } from "./injector.ts";

const meets = (injector: Injector, prompt: string, model = "m") =>
  injector.meet(prompt, model).ending?.fault.name ?? null;

describe("faults from markers", () => {
  it("strike at every call without a count", () => {
    const injector = createInjector(1);
    const met = [1, 2, 3].map(() => meets(injector, "x [[sim:NO_IMAGE]]"));
    expect(met).toEqual(["NO_IMAGE", "NO_IMAGE", "NO_IMAGE"]);
  });

  it("take turns when counted, and then let the call succeed", () => {
    const injector = createInjector(1);
    const prompt = "x [[sim:OVERLOADED*2]] y [[sim:RATE_LIMIT:47s*1]]";
    const met = [1, 2, 3, 4].map(() => meets(injector, prompt));
    expect(met).toEqual(["OVERLOADED", "OVERLOADED", "RATE_LIMIT", null]);
  });

  it("are counted for each prompt and model apart", () => {
    const injector = createInjector(1);
    expect(meets(injector, "a [[sim:NO_IMAGE*1]]")).toBe("NO_IMAGE");
    expect(meets(injector, "b [[sim:NO_IMAGE*1]]")).toBe("NO_IMAGE");
    expect(meets(injector, "a [[sim:NO_IMAGE*1]]", "other")).toBe("NO_IMAGE");
    expect(meets(injector, "a [[sim:NO_IMAGE*1]]")).toBeNull();
    injector.clear();
    expect(meets(injector, "a [[sim:NO_IMAGE*1]]")).toBe("NO_IMAGE");
  });

  it("combine one ending with changes of pace and image", () => {
    const met = createInjector(1).meet(
      "[[sim:SLOW:9]][[sim:MULTI_IMAGE]][[sim:RESET]][[sim:INTERNAL*1]]",
      "m",
    );
    expect(met.ending?.fault.name).toBe("INTERNAL");
    expect(met.changes.map(({ fault }) => fault.name)).toEqual(["SLOW", "MULTI_IMAGE"]);
  });

  it("are refused when misspelled, so that no test passes by accident", () => {
    const injector = createInjector(1);
    expect(() => meets(injector, "[[sim:NOIMAGE]]")).toThrow('Unknown simulator fault "NOIMAGE"');
    expect(() => meets(injector, "[[sim:no image]]")).toThrow("Malformed simulator marker");
  });
});

describe("queued faults", () => {
  it("strike the next calls that match, as often as told", () => {
    const injector = createInjector(1);
    injector.add({ fault: "OVERLOADED", times: 2, match: { promptIncludes: "fox" } });
    injector.add({ fault: "INTERNAL", match: { model: "pro" } });
    const met = ["a cat", "a fox", "my fox", "fox"].map((prompt) => meets(injector, prompt));
    expect(met).toEqual([null, "OVERLOADED", "OVERLOADED", null]);
    expect(injector.queued()).toEqual([{ fault: "INTERNAL", match: { model: "pro" }, times: 1 }]);
    expect(meets(injector, "a cat", "pro")).toBe("INTERNAL");
    expect(injector.queued()).toEqual([]);
  });

  it("wait while a marker decides", () => {
    const injector = createInjector(1);
    injector.add({ fault: "INTERNAL" });
    expect(meets(injector, "[[sim:NO_IMAGE]]")).toBe("NO_IMAGE");
    expect(meets(injector, "plain")).toBe("INTERNAL");
  });

  it("must exist", () => {
    expect(() => createInjector(1).add({ fault: "NOPE" })).toThrow('Unknown simulator fault "NOPE"');
  });
});

describe("a random profile", () => {
  const run = (seed: number, prompts: readonly string[]) => {
    const injector = createInjector(1);
    injector.setProfile({ seed, rates: { OVERLOADED: 0.2, "RATE_LIMIT:5s": 0.1 } });
    return new Map(prompts.map((prompt) => [prompt, meets(injector, prompt)]));
  };
  const prompts = Array.from({ length: 2000 }, (_, index) => `prompt ${index}`);

  it("strikes at about its rates", () => {
    const met = [...run(7, prompts).values()];
    expect(met.filter((name) => name === "OVERLOADED").length).toBeGreaterThan(320);
    expect(met.filter((name) => name === "OVERLOADED").length).toBeLessThan(480);
    expect(met.filter((name) => name === "RATE_LIMIT").length).toBeGreaterThan(140);
    expect(met.filter((name) => name === "RATE_LIMIT").length).toBeLessThan(260);
  });

  it("gives each prompt the same fate in any order, another with another seed", () => {
    const forwards = run(7, prompts);
    expect(run(7, prompts.toReversed())).toEqual(new Map([...forwards].toReversed()));
    expect([...run(8, prompts).values()]).not.toEqual([...forwards.values()]);
  });

  it("names only faults that exist", () => {
    expect(() => createInjector(1).setProfile({ rates: { NOPE: 0.5 } })).toThrow("NOPE");
  });
});
