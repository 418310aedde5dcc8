import type { ToldJob } from "./event.ts";
import type { JobError } from "./job.ts";

const usage = { input_tokens: { text: 7, image: 0 }, output_tokens: { text: 0, image: 1120, thinking: 326 } };

/** A job that went well, with something in every field that may hold something. */
export const succeededJob: ToldJob = {
  id: "job_01m84jgx16f7d9g2yybxgd18cc",
  object: "job",
  status: "succeeded",
  model: "gemini-nano-banana-2.1",
  created_at: "2026-11-23T16:06:15.846Z",
  started_at: "2026-11-23T16:06:16.001Z",
  finished_at: "2026-11-23T16:06:20.312Z",
  deadline_at: "2026-11-23T16:36:15.846Z",
  attempts: 1,
  held_by: null,
  requested_model: "nano-banana",
  prompt: "Ein Bananenblatt in Zürich 🍌",
  aspect_ratio: "16:9",
  image_size: null,
  count: 1,
  output: "image",
  thinking: null,
  grounding_requested: { web: true, images: true },
  safety: { harassment: "off" },
  seed: 7,
  continue_from: { job_id: "job_01m84jgy61es19awwgsreyrhn6", index: 0 },
  reference_images: [
    {
      url: null,
      media_type: "image/png",
      width: 8,
      height: 8,
      bytes: 90,
      sha256: "93d1",
      job_id: null,
      index: null,
    },
  ],
  images: [
    {
      index: 0,
      url: "https://api.example.com/v1/jobs/job_01m84jgx16f7d9g2yybxgd18cc/images/0",
      url_expires_at: null,
      media_type: "image/png",
      width: 1376,
      height: 768,
      bytes: 80_924,
      sha256: "93d1084f122c187a",
      links: { self: "https://api.example.com/v1/jobs/job_01m84jgx16f7d9g2yybxgd18cc/images/0" },
    },
  ],
  text: "Here you are",
  grounding: {
    web_queries: ["banana leaf"],
    image_queries: [],
    pages: [{ url: "https://example.com", title: null, domain: "example.com" }],
    pictures: [{ page_url: "https://example.com", url: null, title: "A leaf", domain: null }],
    search_widgets: ["<div></div>"],
  },
  metadata: { order: "4711" },
  webhook: { url: "https://example.com/hook", events: ["job.succeeded"] },
  usage,
  cost: {
    usd: "0.036056",
    estimated_usd: null,
    final: true,
    unknown_attempts: 0,
    pricing_version: "2026-11",
  },
  error: null,
  last_error: null,
  warnings: [],
  truncated: [],
  links: {
    self: "https://api.example.com/v1/jobs/job_01m84jgx16f7d9g2yybxgd18cc",
    cancel: "https://api.example.com/v1/jobs/job_01m84jgx16f7d9g2yybxgd18cc/cancel",
    attempts: "https://api.example.com/v1/jobs/job_01m84jgx16f7d9g2yybxgd18cc/attempts",
    turns: "https://api.example.com/v1/jobs/job_01m84jgx16f7d9g2yybxgd18cc/turns",
  },
};

export const jobError: JobError = {
  code: "content_blocked.prompt",
  message: "Gemini refused the prompt or a reference image",
  hint: "Rephrase the prompt",
  retryable: false,
  billed: false,
  upstream: { status: 200, finish_reason: "SAFETY", message: null },
};
