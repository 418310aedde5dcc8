import { hashOf } from "./random.ts";

const sites = ["example.com", "example.org", "example.net"];

/** `groundingMetadata` of an answer to `query`: three web pages, two images, and what Google wants shown beside them. */
export function groundingMetadata(
  query: string,
  search: { web: boolean; images: boolean },
  text: string | null,
): object {
  const short = query.slice(0, 120);
  const web = search.web ? sites.map((domain) => ({ web: webChunk(short, domain) })) : [];
  const images = search.images
    ? sites.slice(0, 2).map((domain) => ({ image: imageChunk(short, domain) }))
    : [];
  return {
    groundingChunks: [...web, ...images],
    ...(search.web ? { webSearchQueries: [short] } : {}),
    ...(search.images ? { imageSearchQueries: [short] } : {}),
    ...(text === null || web.length === 0 ? {} : { groundingSupports: [support(text)] }),
    searchEntryPoint: { renderedContent: searchSuggestion(short) },
  };
}

function webChunk(query: string, domain: string) {
  const token = hashOf(query, domain).slice(0, 24);
  return {
    uri: `https://vertexaisearch.cloud.google.com/grounding-api-redirect/${token}`,
    title: domain,
    domain,
  };
}

function imageChunk(query: string, domain: string) {
  const token = hashOf("image", query, domain).slice(0, 12);
  return {
    sourceUri: `https://${domain}/pages/${token}`,
    imageUri: `https://${domain}/images/${token}.jpg`,
    title: `Simulated picture from ${domain}`,
    domain,
  };
}

function support(text: string) {
  return {
    segment: { startIndex: 0, endIndex: Buffer.byteLength(text), text },
    groundingChunkIndices: [0, 1],
    confidenceScores: [0.93, 0.71],
  };
}

function searchSuggestion(query: string): string {
  const shown = query.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const link = `https://www.google.com/search?q=${encodeURIComponent(query.toWellFormed())}`;
  return `<style>.container{align-items:center;border-radius:8px;display:flex;font-family:sans-serif;padding:8px 12px}</style>\n<div class="container"><div class="carousel"><a class="chip" href="${link}">${shown}</a></div></div>\n`;
}
