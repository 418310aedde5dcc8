/** Where something in the synthesized template stands: enough to find it in `infra`. */
export type Place = { readonly stack: string; readonly id: string; readonly type: string };

/** The template holds something that the local runtime does not know. The message names the resource and the remedy. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";

  constructor(place: Place, problem: string) {
    super(`Cannot run "${place.stack}/${place.id}" (${place.type}) locally: ${problem}`);
  }
}
