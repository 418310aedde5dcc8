import { S3Error } from "./s3-error.ts";

/** An element holds either text or other elements, never both. */
export type XmlElement = {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
};

const TOKEN =
  /<\/(?<close>[A-Za-z][\w.-]*)\s*>|<(?<open>[A-Za-z][\w.-]*)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(?<empty>\/?)>|(?<text>[^<]+)/y;
const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Deeper than any request body S3 knows. */
const MAX_DEPTH = 8;

/**
 * Reads the small XML subset of S3 request bodies: elements, attributes (dropped), text and the five entities.
 * DOCTYPE, CDATA, comments and processing instructions are refused, so nothing can expand or hide.
 * Throws `MalformedXML`.
 */
export function readXml(source: string): XmlElement {
  const body = source.replace(/^\ufeff?\s*<\?xml[^?]*\?>/, "").trim();
  const stack: { name: string; text: string; children: XmlElement[] }[] = [
    { name: "", text: "", children: [] },
  ];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < body.length; at = TOKEN.lastIndex) {
    const groups = TOKEN.exec(body)?.groups;
    const current = stack.at(-1);
    if (groups === undefined || current === undefined) throw malformed();
    if (groups.text !== undefined) {
      current.text += decode(groups.text);
    } else if (groups.close !== undefined) {
      stack.pop();
      stack.at(-1)?.children.push(closed(current, groups.close));
    } else if (groups.open !== undefined) {
      const element = { name: groups.open, text: "", children: [] };
      if (groups.empty === "/") current.children.push(element);
      else if (stack.push(element) > MAX_DEPTH) throw malformed();
    }
  }
  const [document, ...rest] = stack;
  const root = document?.children[0];
  if (rest.length > 0 || document?.children.length !== 1 || document.text !== "" || root === undefined) {
    throw malformed();
  }
  return root;
}

/** The text of the only child called `name`; undefined without one. Throws `MalformedXML` on several. */
export function childText(parent: XmlElement, name: string): string | undefined {
  const [first, ...more] = parent.children.filter((child) => child.name === name);
  if (more.length > 0 || (first !== undefined && first.children.length > 0)) throw malformed();
  return first?.text;
}

export function malformed(): S3Error {
  return new S3Error(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );
}

function closed(element: XmlElement, name: string): XmlElement {
  if (element.name !== name) throw malformed();
  if (element.children.length === 0) return element;
  if (element.text.trim() !== "") throw malformed();
  return { ...element, text: "" };
}

function decode(text: string): string {
  return text.replace(
    /&(?:#x([0-9A-Fa-f]{1,6})|#(\d{1,7})|(\w+));|&/g,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined && Object.hasOwn(NAMED, name)) return NAMED[name] ?? whole;
      const point = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
      if (!(point <= 0x10ffff) || (point >= 0xd800 && point <= 0xdfff)) throw malformed();
      return String.fromCodePoint(point);
    },
  );
}
