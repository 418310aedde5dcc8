import * as z from "zod";
import { DomainError } from "../error.ts";
import { type AspectRatio, type ImageSize, Model, type Pixels, type RetiredModel } from "./model.ts";
import { models as builtIn, retiredModels } from "./models.ts";

/** A model as a job asked for it, and what the caller should know about the choice. */
export type Choice = { readonly model: Model; readonly warnings: readonly string[] };

/** The models that a deployment knows. */
export type Registry = {
  readonly models: readonly Model[];
  readonly retired: readonly RetiredModel[];
  /**
   * The model behind an id, alias or retired id.
   * @throws DomainError `unknown_model`
   */
  choose(name: string): Choice;
  /** The model of this id or alias, as a job was given it; `null` when the deployment doesn't know it any more. */
  find(name: string): Model | null;
};

/**
 * A change to one model, or a whole new one: what is given replaces what the registry has under this id, or under the
 * id of `like`.
 */
export const ModelOverride = Model.partial().extend({
  id: z.string().min(1),
  like: z.string().min(1).optional(),
});
export type ModelOverride = z.infer<typeof ModelOverride>;

export type RegistryOptions = {
  /** Whether the old id of a model that was shut down is served by its successor, or refused. */
  readonly retired: "serve" | "refuse";
  readonly overrides: readonly ModelOverride[];
};

/** @throws Error naming an override that doesn't make a whole model, or a name that two models bear */
export function registryOf({ retired, overrides }: RegistryOptions): Registry {
  const models = overrides.reduce<readonly Model[]>(withOverride, builtIn);
  const names = [
    ...models.flatMap(({ id, aliases }) => [id, ...aliases]),
    ...retiredModels.map(({ id }) => id),
  ];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`Cannot use the model registry: two models are called "${twice}"`);
  const find = (name: string) =>
    models.find(({ id, aliases }) => id === name || aliases.includes(name)) ?? null;
  const unknown = (name: string, message: string) =>
    new DomainError("unknown_model", `${message}: "${name}"`, {
      field: "model",
      allowed: models.flatMap(({ id, aliases }) => [id, ...aliases]),
    });

  return {
    models,
    retired: retiredModels,
    find,
    choose(name) {
      const model = find(name);
      if (model && model.status !== "retired") return { model, warnings: noticeOf(model) };
      const old = model?.successor
        ? { id: name, successor: model.successor, since: null }
        : retiredModels.find(({ id }) => id === name);
      const successor = old && find(old.successor);
      if (!old || !successor || successor.status === "retired") {
        throw unknown(name, "There is no model of this name");
      }
      const gone = old.since === null ? "is retired" : `was shut down on ${old.since}`;
      if (retired === "refuse") throw unknown(name, `This model ${gone}; use "${successor.id}"`);
      const warning = `Model "${name}" ${gone}; "${successor.id}" serves this job`;
      return { model: successor, warnings: [warning, ...noticeOf(successor)] };
    },
  };
}

function noticeOf({ notice }: Model): string[] {
  return notice === null ? [] : [notice];
}

function withOverride(models: readonly Model[], { like, ...change }: ModelOverride): readonly Model[] {
  const base = models.find(({ id }) => id === (like ?? change.id));
  const parsed = Model.safeParse({ ...base, ...(like === undefined ? {} : { aliases: [] }), ...change });
  if (!parsed.success) {
    const missing = parsed.error.issues
      .map(({ path, message }) => `${path.join(".")}: ${message}`)
      .join("; ");
    throw new Error(
      `Cannot use the model override "${change.id}": ${missing}; name a model to be \`like\`, or give all`,
    );
  }
  return [...models.filter(({ id }) => id !== change.id), parsed.data];
}

/** Pixels that Google's guide promises for this choice, or `undefined` where the input images decide. */
export function expectedPixels(
  model: Model,
  size: ImageSize | null,
  ratio: AspectRatio | null,
): Pixels | undefined {
  return ratio === null ? undefined : model.pixels[size ?? model.defaultSize]?.[ratio];
}
