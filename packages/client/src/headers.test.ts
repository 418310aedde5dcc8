import { describe, expect, it } from "vitest";
import { signatureHeaders, type WebhookHeaders } from "./headers.ts";

const sent = { "webhook-id": "dlv_1", "webhook-timestamp": "1790000000", "webhook-signature": "v1,a v1a,b" };
const read = { id: "dlv_1", timestamp: "1790000000", signatures: ["v1,a", "v1a,b"] };

describe("headers", () => {
  it.each<[string, WebhookHeaders]>([
    ["an object", sent],
    ["an object with other headers", { ...sent, host: "example.com", accept: undefined }],
    ["Headers", new Headers(sent)],
    ["names in any case", Object.fromEntries(Object.entries(sent).map(([k, v]) => [k.toUpperCase(), v]))],
    ["lists of values", Object.fromEntries(Object.entries(sent).map(([k, v]) => [k, [v]]))],
    ["signatures in several headers", { ...sent, "webhook-signature": ["v1,a", "v1a,b"] }],
  ])("are read from %s", (_, headers) => {
    expect(signatureHeaders(headers)).toEqual(read);
  });

  it.each(Object.keys(sent))("are missed by name: %s", (name) => {
    for (const absent of [undefined, "", []]) {
      expect(() => signatureHeaders({ ...sent, [name]: absent })).toThrowError(
        expect.objectContaining({ code: "missing_header", message: expect.stringContaining(name) }),
      );
    }
    const headers = new Headers(sent);
    headers.delete(name);
    expect(() => signatureHeaders(headers)).toThrowError(expect.objectContaining({ code: "missing_header" }));
  });

  it.each([
    ["webhook-id", "msg.1"],
    ["webhook-id", "msg 1"],
    ["webhook-id", "msg_1\n"],
    ["webhook-id", ["msg_1", "msg_2"]],
    ["webhook-timestamp", "1790000000abc"],
    ["webhook-timestamp", "1790000000.5"],
    ["webhook-timestamp", "-1790000000"],
    ["webhook-timestamp", "+1790000000"],
    ["webhook-timestamp", " 1790000000"],
    ["webhook-timestamp", "01790000000"],
    ["webhook-timestamp", "1.79e9"],
    ["webhook-timestamp", "1790000000000000"],
    ["webhook-timestamp", ["1790000000", "1790000001"]],
    ["webhook-signature", "v1,a ".repeat(32)],
  ])("are refused if %s is %j", (name, value) => {
    expect(() => signatureHeaders({ ...sent, [name]: value })).toThrowError(
      expect.objectContaining({ code: "malformed_header", message: expect.stringContaining(name) }),
    );
  });
});
