/*
 * One way from Gemini to S3, measured in a process of its own: `node worker-path.ts <path> <model> <parallel> <images> <url>`.
 * The environment says where S3 is. Each way loads only what it needs. Sends what it measured to its parent.
 */

/** Fetches one picture and stores it under `key`. */
type Path = (key: string) => Promise<void>;

const [name = "", model = "", parallel = "", images = "", url = ""] = process.argv.slice(2);
const stallTickMs = 5;

/** What one writes with both SDKs as they come. */
async function plainPath(): Promise<Path> {
  const { GoogleGenAI } = await import("@google/genai");
  const { PutObjectCommand, S3Client } = await import("@aws-sdk/client-s3");
  const ai = new GoogleGenAI({ apiKey: "bench", httpOptions: { baseUrl: url } });
  const s3 = new S3Client({});
  return async (key) => {
    const reply = await ai.models.generateContent({ model, contents: "A banana on Mars" });
    const image = reply.candidates?.[0]?.content?.parts?.[0]?.inlineData;
    if (!image?.data) throw new Error("Cannot measure: the reply has no picture");
    const Body = Buffer.from(image.data, "base64");
    await s3.send(new PutObjectCommand({ Bucket: "bench", Key: key, Body, ContentType: image.mimeType }));
  };
}

/** What the worker does. */
async function plantainPath(): Promise<Path> {
  const { geminiImageModel } = await import("@plantain/gemini/image-model");
  const { connectS3 } = await import("@plantain/aws/clients");
  const { s3Objects } = await import("@plantain/aws/s3-objects");
  const gemini = geminiImageModel({ apiKey: async () => "bench", baseUrl: url });
  const objects = s3Objects(connectS3(), "bench");
  const call = {
    model,
    key: "bench",
    history: [],
    prompt: "A banana on Mars",
    images: [],
    aspectRatio: null,
    imageSize: null,
    output: "image",
    thinking: null,
    grounding: { web: false, images: false },
    safety: {},
    seed: null,
  } as const;
  return async (key) => {
    const answer = await gemini.generate(call, new AbortController().signal);
    if (answer.type === "failure") throw new Error(`Cannot measure: ${answer.failure.message}`);
    const { bytes, mediaType, sha256 } = answer.image;
    await objects.put(key, bytes, { mediaType, sha256 });
  };
}

async function run(path: Path, count: number, atOnce: number): Promise<void> {
  let started = 0;
  const lane = async () => {
    while (started < count) {
      started += 1;
      await path(`image-${started}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Watches how late a short timer comes: the time that a heartbeat or another job would have had to wait. */
function watchStalls(): () => number {
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - stallTickMs);
    last = now;
  }, stallTickMs);
  return () => {
    clearInterval(timer);
    return longest;
  };
}

const path = await (name === "plain" ? plainPath() : plantainPath());
await run(path, 2, 1); // warm: code is loaded and compiled, connections stand
const stalls = watchStalls();
const cpu = process.cpuUsage();
const startedAt = performance.now();
await run(path, Number(images), Number(parallel));
const wallMs = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpu);
process.send?.({
  peakMb: process.resourceUsage().maxRSS / 1024,
  cpuMs: (user + system) / 1000 / Number(images),
  wallMs,
  stallMs: stalls(),
});
process.disconnect();
