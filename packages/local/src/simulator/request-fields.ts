import * as z from "zod";
import { bool, bytes, enumeration, float, int32, message, opaque, repeated, text } from "./proto-json.ts";

const { optional } = z;

const Blob = message("Blob", {
  mimeType: optional(text),
  data: optional(bytes),
  displayName: optional(text),
});

const FileData = message("FileData", {
  mimeType: optional(text),
  fileUri: optional(text),
  displayName: optional(text),
});

const Part = message("Part", {
  text: optional(text),
  inlineData: optional(Blob),
  fileData: optional(FileData),
  thought: optional(bool),
  thoughtSignature: optional(bytes),
  mediaResolution: optional(opaque),
  mediaProcessing: optional(opaque),
  functionCall: optional(opaque),
  functionResponse: optional(opaque),
  executableCode: optional(opaque),
  codeExecutionResult: optional(opaque),
  toolCall: optional(opaque),
  toolResponse: optional(opaque),
  videoMetadata: optional(opaque),
  partMetadata: optional(opaque),
  audioTranscription: optional(opaque),
  speechMetadata: optional(opaque),
});

const Content = message("Content", { role: optional(text), parts: optional(repeated(Part)) });

const ThinkingConfig = message("ThinkingConfig", {
  includeThoughts: optional(bool),
  thinkingBudget: optional(int32),
  thinkingLevel: optional(
    enumeration("ThinkingConfig.ThinkingLevel", [
      "THINKING_LEVEL_UNSPECIFIED",
      "MINIMAL",
      "LOW",
      "MEDIUM",
      "HIGH",
    ]),
  ),
});

/** With an API key only these two exist; the SDK's other image options are for Vertex. */
const ImageConfig = message("ImageConfig", { aspectRatio: optional(text), imageSize: optional(text) });

const ResponseFormat = message("ResponseFormat", {
  image: optional(
    message("ImageResponseFormat", {
      aspectRatio: optional(text),
      imageSize: optional(text),
      mimeType: optional(text),
    }),
  ),
  text: optional(opaque),
  audio: optional(opaque),
});

const GenerationConfig = message("GenerationConfig", {
  candidateCount: optional(int32),
  stopSequences: optional(repeated(text)),
  maxOutputTokens: optional(int32),
  temperature: optional(float),
  topP: optional(float),
  topK: optional(float),
  seed: optional(int32),
  presencePenalty: optional(float),
  frequencyPenalty: optional(float),
  responseLogprobs: optional(bool),
  logprobs: optional(int32),
  responseMimeType: optional(text),
  responseSchema: optional(opaque),
  responseJsonSchema: optional(opaque),
  responseModalities: optional(
    repeated(
      enumeration("GenerationConfig.Modality", ["MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO", "VIDEO"]),
    ),
  ),
  responseFormat: optional(ResponseFormat),
  thinkingConfig: optional(ThinkingConfig),
  imageConfig: optional(ImageConfig),
  mediaResolution: optional(
    enumeration("MediaResolution", [
      "MEDIA_RESOLUTION_UNSPECIFIED",
      "MEDIA_RESOLUTION_LOW",
      "MEDIA_RESOLUTION_MEDIUM",
      "MEDIA_RESOLUTION_HIGH",
      "MEDIA_RESOLUTION_ULTRA_HIGH",
    ]),
  ),
  speechConfig: optional(opaque),
  audioTranscriptionConfig: optional(opaque),
  enableEnhancedCivicAnswers: optional(bool),
});

const Tool = message("Tool", {
  googleSearch: optional(
    message("Tool.GoogleSearch", {
      timeRangeFilter: optional(opaque),
      searchTypes: optional(
        message("Tool.GoogleSearch.SearchTypes", {
          webSearch: optional(opaque),
          imageSearch: optional(opaque),
        }),
      ),
    }),
  ),
  googleSearchRetrieval: optional(opaque),
  functionDeclarations: optional(opaque),
  codeExecution: optional(opaque),
  urlContext: optional(opaque),
  computerUse: optional(opaque),
  googleMaps: optional(opaque),
  fileSearch: optional(opaque),
  mcpServers: optional(opaque),
});

const SafetySetting = message("SafetySetting", {
  category: optional(
    enumeration("HarmCategory", [
      "HARM_CATEGORY_UNSPECIFIED",
      "HARM_CATEGORY_HARASSMENT",
      "HARM_CATEGORY_HATE_SPEECH",
      "HARM_CATEGORY_SEXUALLY_EXPLICIT",
      "HARM_CATEGORY_DANGEROUS_CONTENT",
      "HARM_CATEGORY_CIVIC_INTEGRITY",
      "HARM_CATEGORY_JAILBREAK",
    ]),
  ),
  threshold: optional(
    enumeration("SafetySetting.HarmBlockThreshold", [
      "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
      "BLOCK_LOW_AND_ABOVE",
      "BLOCK_MEDIUM_AND_ABOVE",
      "BLOCK_ONLY_HIGH",
      "BLOCK_NONE",
      "OFF",
    ]),
  ),
});

/** The body of `:generateContent` and `:streamGenerateContent`, and `request` of a batch row. */
export const GenerateContentRequest = message("GenerateContentRequest", {
  model: optional(text),
  contents: optional(repeated(Content)),
  systemInstruction: optional(Content),
  generationConfig: optional(GenerationConfig),
  tools: optional(repeated(Tool)),
  toolConfig: optional(opaque),
  safetySettings: optional(repeated(SafetySetting)),
  cachedContent: optional(text),
  labels: optional(opaque),
  serviceTier: optional(
    enumeration("ServiceTier", ["UNSPECIFIED", "SERVICE_TIER_UNSPECIFIED", "FLEX", "STANDARD", "PRIORITY"]),
  ),
  store: optional(bool),
  continuationToken: optional(text),
});

/** The body of `:countTokens`. */
export const CountTokensRequest = message("CountTokensRequest", {
  model: optional(text),
  contents: optional(repeated(Content)),
  generateContentRequest: optional(GenerateContentRequest),
});

/** The body of `:batchGenerateContent`. */
export const BatchRequest = message("BatchGenerateContentRequest", {
  batch: optional(
    message("GenerateContentBatch", {
      name: optional(text),
      model: optional(text),
      displayName: optional(text),
      priority: optional(opaque),
      webhookConfig: optional(opaque),
      inputConfig: optional(
        message("InputConfig", {
          fileName: optional(text),
          requests: optional(
            message("InlinedRequests", {
              requests: optional(
                repeated(
                  message("InlinedRequest", {
                    request: optional(GenerateContentRequest),
                    metadata: optional(opaque),
                  }),
                ),
              ),
            }),
          ),
        }),
      ),
    }),
  ),
});

/** The body that opens a resumable upload. */
export const CreateFileRequest = message("CreateFileRequest", {
  file: optional(
    message("File", {
      name: optional(text),
      displayName: optional(text),
      mimeType: optional(text),
      sizeBytes: optional(opaque),
    }),
  ),
});

export type GenerateRequest = z.infer<typeof GenerateContentRequest>;
export type RequestContent = z.infer<typeof Content>;
export type RequestPart = z.infer<typeof Part>;
export type BatchInput = NonNullable<z.infer<typeof BatchRequest>["batch"]>;
