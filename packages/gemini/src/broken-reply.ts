/** Why a reply of Gemini can't be read: it ended early, its base64 is none, or it is larger than we take. */
export type Breakage = "cut" | "bad_base64" | "too_large";

/** A reply that was refused while it arrived. Never carries any of its content. */
export class BrokenReply extends Error {
  override readonly name = "BrokenReply";
  readonly breakage: Breakage;

  constructor(breakage: Breakage, message: string) {
    super(message);
    this.breakage = breakage;
  }
}
