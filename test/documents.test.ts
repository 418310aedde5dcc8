import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { signingStepMs } from "@plantain/aws/s3-signed-urls";
import { jobsIndex } from "@plantain/aws/table";
import { indexLagMs, mostAtOnce } from "@plantain/core/capacity/promote";
import { failureClasses } from "@plantain/core/job/failure";
import type { Fact, Refusal } from "@plantain/core/job/job";
import {
  crashBudget,
  firstCheckMs,
  longestCheckMs,
  longestDelayMs,
  waitInPlaceMs,
} from "@plantain/core/job/policy";
import { dueShards } from "@plantain/core/job/ports";
import { largestBody } from "@plantain/functions/api/app";
import { world } from "@plantain/functions/api/app.fixture";
import { JobBody } from "@plantain/functions/api/job-body";
import { type ProblemCode, problem } from "@plantain/functions/api/problem";
import { longestWaitSeconds } from "@plantain/functions/api/wait";
import { wireJob } from "@plantain/functions/api/wire";
import { ApiEnv, DeliverEnv, SweepEnv, WorkerEnv } from "@plantain/functions/runtime/env";
import { type Stage, stageNamed, stages } from "@plantain/infra/stage";
import { usage } from "@plantain/local/flags";
import { sampleJob, sampleRequest } from "@plantain/memory/samples";
import { memorySignedUrls } from "@plantain/memory/signed-urls";
import { describe, expect, it } from "vitest";
import * as z from "zod";

/*
 * Documents that list what the code has are held to it here: what one has and the other lacks fails, by name.
 */

const root = resolve(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** What stands under a heading, up to the next heading of its level or above. */
function section(path: string, heading: string): string {
  const [, text] = read(path).split(`\n${heading}\n`);
  if (text === undefined) throw new Error(`Cannot find "${heading}" in ${path}`);
  const level = heading.indexOf(" ");
  return text.split(new RegExp(`\n#{2,${level}} `))[0] ?? "";
}

/** The rows of the `nth` table under a heading, as their cells without code marks. */
function rows(path: string, heading: string, nth = 0): string[][] {
  const tables = section(path, heading).match(/(?:^\|.*\|\n)+/gm) ?? [];
  const [, , ...lines] = (tables[nth] ?? "").trim().split("\n");
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

const firsts = (cells: string[][]) => cells.map(([first]) => first ?? "").toSorted();

describe("docs/api.md", () => {
  it("has every route", async () => {
    const { app } = await world();
    const routes = app.routes.filter(({ method }) => method !== "ALL");
    // A parameter's pattern is nobody's business
    const there = new Set(routes.map(({ method, path }) => `${method} ${path.replace(/\{.+?\}/, "")}`));
    expect(firsts(rows("docs/api.md", "## Routes"))).toEqual([...there].toSorted());
  });

  it("has every field of a submission, and its limits in bytes and seconds", () => {
    expect(firsts(rows("docs/api.md", "## Submit a job"))).toEqual(Object.keys(JobBody.shape).toSorted());
    expect(section("docs/api.md", "## Submit a job")).toContain(largestBody.toLocaleString("en-US"));
    expect(section("docs/api.md", "## Read a job")).toContain(`0 to ${longestWaitSeconds} seconds`);
  });

  it("has every field of a job", async () => {
    const record = { job: sampleJob(), request: sampleRequest(), result: null, attempts: [] };
    const shown = await wireJob(record, memorySignedUrls, 0);
    expect(firsts(rows("docs/api.md", "### The job"))).toEqual(Object.keys(shown).toSorted());
  });

  // A code that is missing here doesn't compile, nor does one too many.
  const problemCodes: Record<ProblemCode, true> = {
    invalid_request: true,
    conversation_too_long: true,
    model_not_found: true,
    source_image_not_found: true,
    invalid_json: true,
    invalid_image: true,
    image_too_large: true,
    invalid_cursor: true,
    unknown_model: true,
    source_job_not_found: true,
    source_job_not_succeeded: true,
    unauthorized: true,
    missing_scope: true,
    not_found: true,
    job_not_found: true,
    job_not_finished: true,
    image_not_found: true,
    method_not_allowed: true,
    body_too_large: true,
    unsupported_media_type: true,
    idempotency_key_reused: true,
    internal: true,
    endpoint_not_found: true,
    endpoint_disabled: true,
    too_many_endpoints: true,
    too_many_secrets: true,
    delivery_not_found: true,
    delivery_in_progress: true,
  };
  const isProblemCode = (code: string): code is ProblemCode => code in problemCodes;

  it("has every problem with its status", async () => {
    const documented = rows("docs/api.md", "## Problems");
    expect(firsts(documented)).toEqual(Object.keys(problemCodes).toSorted());
    for (const [code = "", status] of documented) {
      if (!isProblemCode(code)) throw new Error(`"${code}" is no problem`);
      const { app } = await world();
      const answer = await app.get("/sample", (c) => problem(c, code, "Sample")).request("/sample");
      expect(String(answer.status), code).toBe(status);
    }
  });

  it("has every failure with its budget, waits and hint", () => {
    const time = (ms: number) => (ms >= 60_000 ? `${ms / 60_000} min` : `${ms / 1000} s`);
    const expected = Object.entries(failureClasses).map(
      ([code, { retries, waitMs, longestWaitMs, retryable, hint }]) => [
        code,
        retries === "until_deadline" ? "until the deadline" : String(retries),
        retries === 0 ? "" : [...new Set([time(waitMs), time(longestWaitMs)])].join(" to "),
        retryable ? "yes" : "no",
        hint.replaceAll("`", ""),
      ],
    );
    expect(rows("docs/api.md", "## Errors of jobs")).toEqual(expected);
  });
});

describe("docs/architecture.md", () => {
  it("has every fact and every refusal", () => {
    const facts: Record<Fact["type"], true> = {
      claimed: true,
      beaten: true,
      rechecked: true,
      released: true,
      succeeded: true,
      attempt_failed: true,
      canceled: true,
      expired: true,
      swept: true,
      held: true,
      promoted: true,
    };
    const refusals: Record<Refusal["refused"], true> = {
      over: true,
      lease_lost: true,
      leased: true,
      not_due: true,
      deadline_passed: true,
      held: true,
      not_held: true,
    };
    expect(firsts(rows("docs/architecture.md", "### Facts", 0))).toEqual(Object.keys(facts).toSorted());
    expect(firsts(rows("docs/architecture.md", "### Facts", 1))).toEqual(Object.keys(refusals).toSorted());
  });

  it("has every index with its keys", () => {
    const indexes = rows("docs/architecture.md", "### Table `Jobs` (`pk`, `sk`)", 1);
    expect(firsts(indexes)).toEqual(Object.keys(jobsIndex).toSorted());
    for (const { name, partition, sort } of Object.values(jobsIndex)) {
      const [, keys] = indexes.find(([index]) => index === name) ?? [];
      expect(keys).toContain(partition);
      expect(keys).toContain(sort);
    }
  });

  it("has the protocol's numbers of every stage", () => {
    const documented = rows("docs/architecture.md", "## Numbers", 0).map(([name = "", ...values]) => [
      name.replace(/ \(.*\)$/, ""),
      ...values,
    ]);
    const protocol = Object.keys(stageNamed("dev").protocol).map((name) => `protocol.${name}`);
    expect(firsts(documented)).toEqual(expect.arrayContaining(protocol));
    for (const [name = "", ...values] of documented) {
      expect(values, name).toEqual(stages.map((stage) => settingsOf(stage)[name]));
    }
  });

  it("has the numbers that no stage changes", () => {
    const numbers = {
      crashBudget,
      waitInPlaceMs,
      longestDelayMs,
      firstCheckMs,
      longestCheckMs,
      dueShards,
      mostAtOnce,
      indexLagMs,
      signingStepMs,
    };
    const documented = rows("docs/architecture.md", "## Numbers", 1).map(([name, value]) => [name, value]);
    expect(documented).toEqual(Object.entries(numbers).map(([name, value]) => [name, String(value)]));
  });
});

/** A stage's settings by their dotted names, as documents show them. */
function settingsOf(stage: Stage): Record<string, string> {
  const shown = (value: unknown): string => {
    if (Array.isArray(value)) return value.join(", ") || "none";
    return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
  };
  const isGroup = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  return Object.fromEntries(
    Object.entries(stage).flatMap(([name, value]): [string, string][] =>
      isGroup(value)
        ? Object.entries(value).map(([inner, each]) => [`${name}.${inner}`, shown(each)])
        : [[name, shown(value)]],
    ),
  );
}

describe("README.md", () => {
  it("has every flag of npm run dev", () => {
    const flags = usage.match(/--[a-z-]+(?= )/g) ?? [];
    expect(firsts(rows("README.md", "### Flags of `npm run dev`"))).toEqual(
      [...new Set(flags)].filter((flag) => flag !== "--").toSorted(),
    );
  });

  it("has every setting of the deployed stages", () => {
    const [dev, prod] = [settingsOf(stageNamed("dev")), settingsOf(stageNamed("prod"))];
    const names = Object.keys(dev).filter((name) => name !== "name" && !name.startsWith("protocol."));
    const documented = rows("README.md", "### Stages");
    expect(firsts(documented)).toEqual(names.toSorted());
    for (const [name = "", ...values] of documented) {
      expect(values.slice(0, 2), name).toEqual([dev[name], prod[name]]);
    }
  });

  it("has every variable of every function", () => {
    const functions = { api: ApiEnv, worker: WorkerEnv, deliver: DeliverEnv, sweep: SweepEnv };
    const users = (name: string) =>
      Object.entries(functions).flatMap(([each, { shape }]) => (name in shape ? [each] : []));
    const names = new Set(Object.values(functions).flatMap(({ shape }) => Object.keys(shape)));
    const documented = rows("README.md", "### Environment of the functions");
    expect(firsts(documented)).toEqual([...names].toSorted());
    for (const [name = "", who] of documented) {
      const expected = users(name).length === 4 ? "all" : users(name).join(", ");
      expect(who, name).toBe(expected);
    }
  });
});

const pages = ["", "docs", "docs/decisions"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name)),
);

describe.each(pages)("%s", (page) => {
  const text = read(page);

  it("links only to what is there", () => {
    for (const [, link = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : relative(root, resolve(root, dirname(page), path));
      expect(existsSync(join(root, target)), `${page} links to ${link}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(read(target)), `${page} links to ${link}`).toContain(anchor);
    }
  });

  it("names only scripts that package.json has", () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read("package.json")));
    for (const [, script = ""] of text.matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)) {
      expect(Object.keys(scripts), `${page} says "npm run ${script}"`).toContain(script);
    }
  });
});

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
}

it("every decision is dated in its name, and says what it decided over what", () => {
  const decisions = pages.filter((page) => page.startsWith("docs/decisions/"));
  expect(decisions.length).toBeGreaterThan(0);
  for (const page of decisions) {
    expect(page).toMatch(/\/\d{4}-\d\d-\d\d-[a-z0-9-]+\.md$/);
    const text = read(page);
    expect(text, page).toContain(`Status: accepted, ${/\d{4}-\d\d-\d\d/.exec(page)?.[0]}`);
    for (const heading of ["## Context", "## Decision", "## Alternatives", "## Consequences"]) {
      expect(text, page).toContain(`\n${heading}\n`);
    }
  }
});
