import { expect, test } from "vitest";
import { UsageMetadata, usageOf } from "./usage.ts";

function usage(metadata: object, hasImage = true) {
  return usageOf(UsageMetadata.parse(metadata), hasImage);
}

test("tokens are told by modality", () => {
  const metadata = {
    promptTokenCount: 615,
    candidatesTokenCount: 1140,
    thoughtsTokenCount: 208,
    totalTokenCount: 1963,
    promptTokensDetails: [
      { modality: "TEXT", tokenCount: 99 },
      { modality: "IMAGE", tokenCount: 516 },
    ],
    candidatesTokensDetails: [
      { modality: "IMAGE", tokenCount: 1120 },
      { modality: "TEXT", tokenCount: 20 },
    ],
  };
  expect(usage(metadata)).toEqual({
    inputText: 99,
    inputImage: 516,
    outputText: 20,
    outputImage: 1120,
    thinking: 208,
  });
});

test("without details the input is text and the output is the picture", () => {
  const metadata = { promptTokenCount: 12, candidatesTokenCount: 1290, totalTokenCount: 1302 };
  expect(usage(metadata)).toEqual({
    inputText: 12,
    inputImage: 0,
    outputText: 0,
    outputImage: 1290,
    thinking: 0,
  });
});

test("without details and without a picture the output is text", () => {
  expect(usage({ promptTokenCount: 12, candidatesTokenCount: 25, totalTokenCount: 37 }, false)).toMatchObject(
    {
      outputText: 25,
      outputImage: 0,
    },
  );
});

test("output that the details leave out is text if they name the picture, else the picture", () => {
  const counts = {
    promptTokenCount: 615,
    candidatesTokenCount: 2478,
    totalTokenCount: 3301,
    thoughtsTokenCount: 208,
  };
  const image = [{ modality: "IMAGE", tokenCount: 2240 }];
  const text = [{ modality: "TEXT", tokenCount: 238 }];
  const expected = { outputText: 238, outputImage: 2240 };
  expect(usage({ ...counts, candidatesTokensDetails: image })).toMatchObject(expected);
  expect(usage({ ...counts, candidatesTokensDetails: text })).toMatchObject(expected);
});

test("thoughts that are repeated as output count once", () => {
  const metadata = {
    promptTokenCount: 40,
    candidatesTokenCount: 300,
    thoughtsTokenCount: 300,
    totalTokenCount: 340,
  };
  expect(usage(metadata, false)).toMatchObject({ outputText: 0, thinking: 300 });
});

test("tokens of tools are input", () => {
  const metadata = {
    promptTokenCount: 40,
    toolUsePromptTokenCount: 60,
    candidatesTokenCount: 1120,
    totalTokenCount: 1220,
  };
  expect(usage(metadata)).toMatchObject({ inputText: 100, outputImage: 1120 });
});

test("counts that are none are taken as absent", () => {
  const metadata = {
    promptTokenCount: 7,
    candidatesTokenCount: "x",
    promptTokensDetails: "y",
    totalTokenCount: -1,
  };
  expect(usage(metadata)).toEqual({
    inputText: 7,
    inputImage: 0,
    outputText: 0,
    outputImage: 0,
    thinking: 0,
  });
});

test("without the prompt's count nothing is told", () => {
  expect(UsageMetadata.safeParse({ candidatesTokenCount: 1120 }).success).toBe(false);
});
