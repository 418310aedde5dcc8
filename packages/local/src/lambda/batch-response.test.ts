import { expect, test } from "vitest";
import { succeeded } from "./batch-response.ts";

const ids = ["a", "b", "c"];

test.each([
  ["nothing is reported", "null", ids],
  ["an empty object is reported", "{}", ids],
  ["the list is null", '{"batchItemFailures":null}', ids],
  ["the list is empty", '{"batchItemFailures":[]}', ids],
  ["some are reported", '{"batchItemFailures":[{"itemIdentifier":"b"}]}', ["a", "c"]],
])("messages that are not reported as failed have succeeded: %s", (_what, result, expected) => {
  expect(succeeded(result, ids)).toEqual(expected);
});

test.each([
  ["an unknown message", '{"batchItemFailures":[{"itemIdentifier":"x"}]}'],
  ["an empty identifier", '{"batchItemFailures":[{"itemIdentifier":""}]}'],
  ["no identifier", '{"batchItemFailures":[{"itemIdentifier":null}]}'],
  ["a misspelled key", '{"batchItemFailures":[{"id":"a"}]}'],
  ["a text", '"done"'],
])("the whole batch fails when the answer holds %s", (_what, result) => {
  expect(succeeded(result, ids)).toEqual([]);
});
