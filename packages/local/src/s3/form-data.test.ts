import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readForm } from "./form-data.ts";

const TYPE = "multipart/form-data; boundary=xYz";

async function* cut(text: string | Buffer, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(body: string | Buffer, size = 1000, type = TYPE) {
  const form = await readForm(type, cut(body, size));
  const chunks: Buffer[] = [];
  for await (const chunk of form.file) chunks.push(chunk);
  await form.close();
  return { fields: Object.fromEntries(form.fields), fileName: form.fileName, file: Buffer.concat(chunks) };
}

const field = (name: string, value: string) =>
  `--xYz\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const file = (value: string, name = "a.png") =>
  `--xYz\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: image/png\r\n\r\n${value}\r\n`;

test("reads what Node's own FormData writes, however it is cut", async () => {
  const form = new FormData();
  form.set("Key", 'ü/日本 "quoted"');
  form.set("x-amz-meta-a", "");
  form.set("file", new Blob([Buffer.from("\r\n--not the boundary\r\n\u0000")]), 'dir/ä "b".png');
  const request = new Request("http://x/", { method: "POST", body: form });
  const bytes = Buffer.from(await request.clone().arrayBuffer());
  for (const size of [1, 3, 17, 4096]) {
    const {
      fields,
      fileName,
      file: content,
    } = await read(bytes, size, request.headers.get("content-type") ?? "");
    expect(fields).toEqual({ key: 'ü/日本 "quoted"', "x-amz-meta-a": "" });
    expect(fileName).toBe('ä "b".png');
    expect(content.toString()).toBe("\r\n--not the boundary\r\n\u0000");
  }
});

test("file content of any kind comes out unchanged", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom("\r", "\n", "-", "--", "x", "xY", "xYz", "\r\n--xY", "a")),
      fc.integer({ min: 1, max: 20 }),
      async (parts, size) => {
        const content = parts.join("");
        fc.pre(!`\r\n${content}`.includes("\r\n--xYz"));
        const { file: bytes } = await read(`${field("key", "k")}${file(content)}--xYz--\r\n`, size);
        expect(bytes.toString()).toBe(content);
      },
    ),
  );
});

test("ignores a preamble and whatever follows the file", async () => {
  const body = `preamble\r\n${field("key", "k")}${file("content")}${field("late", "ignored")}--xYz--\r\nepilogue`;
  expect(await read(body)).toEqual({ fields: { key: "k" }, fileName: "a.png", file: Buffer.from("content") });
});

test("keeps only the last part of a path as the file's name", async () => {
  expect((await read(`${file("", "C:\\images\\b.png")}--xYz--`)).fileName).toBe("b.png");
  expect((await read(`${file("", "../../etc/passwd")}--xYz--`)).fileName).toBe("passwd");
});

test.each([
  ["another content type", "application/json", "{}", "PreconditionFailed"],
  ["a content type without a boundary", "multipart/form-data", "x", "PreconditionFailed"],
  ["no delimiter", TYPE, "hello", "MalformedPOSTRequest"],
  [
    "a body that ends inside a field",
    TYPE,
    '--xYz\r\nContent-Disposition: form-data; name="a"\r\n\r\nb',
    "MalformedPOSTRequest",
  ],
  ["a part without a name", TYPE, "--xYz\r\nContent-Type: a/b\r\n\r\nb\r\n--xYz--", "MalformedPOSTRequest"],
  ["a body that ends inside the file", TYPE, file("content"), "MalformedPOSTRequest"],
  ["no file", TYPE, `${field("key", "k")}--xYz--\r\n`, "InvalidArgument"],
  [
    "a field given twice",
    TYPE,
    `${field("key", "k")}${field("KEY", "l")}${file("")}--xYz--`,
    "InvalidArgument",
  ],
  ["one field too long", TYPE, field("key", "k".repeat(30_000)), "MaxPostPreDataLengthExceeded"],
  [
    "many fields too long together",
    TYPE,
    "abcdefghijk"
      .split("")
      .map((name) => field(name, "k".repeat(2_000)))
      .join(""),
    "MaxPostPreDataLengthExceeded",
  ],
])("refuses %s", async (_what, type, body, code) => {
  await expect(read(body, 1000, type)).rejects.toMatchObject({ code });
});
