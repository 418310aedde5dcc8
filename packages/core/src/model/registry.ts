import { DomainError } from "../error.ts";
import type { AspectRatio, ImageSize, Model, Pixels } from "./model.ts";
import { models } from "./models.ts";

/** A model as a job asked for it, and what the caller should know about the choice. */
export type Choice = { readonly model: Model; readonly warnings: readonly string[] };

/**
 * The model behind an id or alias. A retired id is served by its successor, with a warning.
 * @throws DomainError `unknown_model`
 */
export function chooseModel(name: string): Choice {
  const model = models.find(({ id, aliases }) => id === name || aliases.some((alias) => alias.name === name));
  if (!model) {
    throw new DomainError("unknown_model", `Unknown model "${name}"`, {
      field: "model",
      allowed: modelNames(),
    });
  }
  const notices = [model.notice, model.aliases.find((alias) => alias.name === name)?.notice];
  const warnings = notices.filter((notice) => notice !== undefined);
  if (model.status !== "retired" || model.successor === undefined) return { model, warnings };
  const next = chooseModel(model.successor);
  return { model: next.model, warnings: [...warnings, ...next.warnings] };
}

/** Every name that a job may give, retired ids left out. */
export function modelNames(): string[] {
  return models
    .filter(({ status }) => status !== "retired")
    .flatMap(({ id, aliases }) => [id, ...aliases.map(({ name }) => name)]);
}

/** Pixels that Google's guide promises for this choice, or `undefined` where the input images decide. */
export function expectedPixels(
  model: Model,
  size: ImageSize | null,
  ratio: AspectRatio | null,
): Pixels | undefined {
  return ratio === null ? undefined : model.pixels[size ?? model.defaultSize]?.[ratio];
}
