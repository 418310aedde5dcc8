import type { System } from "./system.ts";

/** What a program reads: one line of JSON. */
export function readyLine({ url, apiKey, gemini, aws }: System): string {
  return JSON.stringify({ ready: true, url, apiKey, gemini, aws });
}

/** What a person reads. @param data the folder that keeps everything, if any */
export function banner({ url, apiKey, gemini }: System, data: string | undefined): string {
  const from =
    gemini.mode === "simulator"
      ? `simulator at ${gemini.url}: images are drawn, nothing is billed (set GEMINI_API_KEY for the real API)`
      : `the real API${gemini.url === null ? "" : ` at ${gemini.url}`}: every image is billed to your GEMINI_API_KEY`;
  return `
Plantain is running at ${url}

  API key   ${apiKey}
  Gemini    ${from}
  Data      ${data === undefined ? "gone when this process ends (--data DIR keeps it)" : `kept in ${data}`}

Make an image:

  curl ${url}/v1/jobs \\
    -H 'Authorization: Bearer ${apiKey}' \\
    -H 'Content-Type: application/json' \\
    -H 'Prefer: wait=25' \\
    -d '{"prompt": "A plantain on a blue plate"}'

Ctrl-C stops it.
`;
}
