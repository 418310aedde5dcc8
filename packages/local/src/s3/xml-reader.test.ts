import { expect, test } from "vitest";
import { escapeXml } from "./xml.ts";
import { childText, readXml } from "./xml-reader.ts";

test("reads elements, text and entities, and drops declaration and attributes", () => {
  const root = readXml(
    '<?xml version="1.0" encoding="UTF-8"?>\n<Delete xmlns="http://x/"><Object><Key> a&amp;b&#x1F34C;&lt;&#9; </Key></Object> <Quiet/></Delete>',
  );
  expect(root.name).toBe("Delete");
  expect(root.children.map(({ name }) => name)).toEqual(["Object", "Quiet"]);
  const [object] = root.children;
  expect(object && childText(object, "Key")).toBe(" a&b🍌<\t ");
});

test("what is written escaped is read back the same", () => {
  const text = `<a href="x">&amp;'\u0001\u007f\t\r\n 🍌 日本`;
  expect(readXml(`<Key>${escapeXml(text)}</Key>`).text).toBe(text);
});

test.each([
  ["nothing", ""],
  ["text alone", "hello"],
  ["an open element", "<a><b></b>"],
  ["crossed elements", "<a><b></a></b>"],
  ["two roots", "<a/><b/>"],
  ["text beside elements", "<a>x<b/></a>"],
  ["a document type", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
  ["an unknown entity", "<a>&x;</a>"],
  ["a bare ampersand", "<a>b & c</a>"],
  ["half a surrogate pair", "<a>&#xD800;</a>"],
  ["a comment", "<a><!-- b --></a>"],
  ["a CDATA section", "<a><![CDATA[b]]></a>"],
  ["deep nesting", `${"<a>".repeat(50)}${"</a>".repeat(50)}`],
])("refuses %s", (_what, source) => {
  expect(() => readXml(source)).toThrow(expect.objectContaining({ code: "MalformedXML" }));
});

test("refuses a second value where one belongs", () => {
  const root = readXml("<a><b>1</b><b>2</b></a>");
  expect(() => childText(root, "b")).toThrow(expect.objectContaining({ code: "MalformedXML" }));
});
