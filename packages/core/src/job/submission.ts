import type { ImageRef } from "../conversation/find-image.ts";
import type { MediaType } from "../image/inspect.ts";
import type { AspectRatio, ImageSize, Thinking } from "../model/model.ts";
import type { Grounding, InlineWebhook, Safety } from "./request.ts";

/** A job as a caller asks for it: shapes are validated, what the model can do is not yet. */
export type Submission = {
  /** `null`: whatever the deployment has as its default. */
  readonly model: string | null;
  readonly prompt: string;
  readonly images: readonly SubmittedImage[];
  readonly aspectRatio: AspectRatio | null;
  readonly imageSize: ImageSize | null;
  readonly count: number;
  readonly output: "image" | "image_and_text";
  readonly thinking: Thinking | null;
  readonly grounding: Grounding;
  readonly safety: Safety;
  readonly seed: number | null;
  /** The earlier job's image to go on from. */
  readonly continueFrom: ImageRef | null;
  readonly deadlineMs: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly webhook: InlineWebhook | null;
};

/** A reference image as a caller hands it in. */
export type SubmittedImage =
  /** `mediaType` is what the caller says; the bytes decide, and a contradiction is refused. */
  | { readonly type: "data"; readonly bytes: Uint8Array; readonly mediaType: MediaType | null }
  | ({ readonly type: "job" } & ImageRef)
  | { readonly type: "url"; readonly url: string };
