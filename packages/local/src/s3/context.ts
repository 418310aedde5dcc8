import type { Keyring } from "./authentication.ts";
import type { UploadStore } from "./multipart-upload.ts";
import type { ObjectStore } from "./object-store.ts";

/** What every operation works on. */
export type Context = {
  readonly store: ObjectStore;
  readonly uploads: UploadStore;
  readonly keyring: Keyring;
};
