import type { GroundingRecord } from "@plantain/core/job/outcome";
import * as z from "zod";

const Text = z.string().nullish().catch(null);
const Texts = z.array(z.string()).nullish().catch(null);

const Page = z.object({ uri: z.string(), title: Text, domain: Text });
const Picture = z.object({ sourceUri: z.string(), imageUri: Text, title: Text, domain: Text });

/** `groundingMetadata` of a candidate. */
export const GroundingMetadata = z.object({
  webSearchQueries: Texts,
  imageSearchQueries: Texts,
  groundingChunks: z
    .array(z.object({ web: Page.nullish().catch(null), image: Picture.nullish().catch(null) }).catch({}))
    .nullish()
    .catch(null),
  searchEntryPoint: z.object({ renderedContent: Text }).nullish().catch(null),
});
export type GroundingMetadata = z.infer<typeof GroundingMetadata>;

/** What the answer rests on; a picture without the page that it stands on can't be shown, and is left out. */
export function groundingOf(metadata: GroundingMetadata): GroundingRecord {
  const chunks = metadata.groundingChunks ?? [];
  const widget = metadata.searchEntryPoint?.renderedContent;
  return {
    webQueries: metadata.webSearchQueries ?? [],
    imageQueries: metadata.imageSearchQueries ?? [],
    pages: chunks.flatMap(({ web }) => (web ? [link(web.uri, web)] : [])),
    pictures: chunks.flatMap(({ image }) =>
      image ? [{ ...link(image.sourceUri, image), picture: image.imageUri ?? null }] : [],
    ),
    widgets: widget ? [widget] : [],
  };
}

function link(page: string, about: Pick<z.infer<typeof Page>, "title" | "domain">) {
  return { page, title: about.title ?? null, domain: about.domain ?? null };
}
