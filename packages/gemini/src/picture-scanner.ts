import { type ArrivingPicture, arrivingPicture, type Picture, release } from "./arriving-picture.ts";
import { BrokenReply } from "./broken-reply.ts";
import { replyStructure } from "./reply-structure.ts";

/** A reply without its pictures: in the JSON, `pictureName(n)` stands where the base64 of `pictures.get(n)` was. */
export type Scanned = { readonly json: Buffer<ArrayBuffer>; readonly pictures: ReadonlyMap<number, Picture> };

/**
 * Reads one JSON reply as it arrives, and keeps no chunk of it. Both throw BrokenReply; whether the rest is JSON is for
 * its parser to say.
 */
export type PictureScanner = { write(chunk: Uint8Array): void; end(): Scanned };

/** Most bytes that a reply's pictures, and the rest of it, may take. */
export type ScanLimits = { readonly pictureBytes: number; readonly jsonBytes: number };

/** What stands in the JSON for the base64 of picture `index`. */
export function pictureName(index: number): string {
  return `plantain:${index}`;
}

const quote = 0x22;
const backslash = 0x5c;

/**
 * Takes the pictures out of a generateContent reply while it arrives: each string at `data` in an `inlineData` object is
 * decoded piece by piece and never exists as a whole. Everything else goes through byte by byte as it is. Pictures in
 * thoughts are dropped, and the earliest of the others where all are more than the limit: the last one is the answer.
 */
export function pictureScanner(limits: ScanLimits): PictureScanner {
  const json: Buffer[] = [];
  const pictures = new Map<number, Picture>();
  const structure = replyStructure(keepOrDrop);
  let kept = 0;
  let found = 0;
  let jsonSize = 0;
  let read = readStructure;
  let arriving: ArrivingPicture | undefined;
  let key = "";
  let isEscaped = false;
  let openEscape = "";

  function pass(bytes: Buffer): void {
    jsonSize += bytes.length;
    if (jsonSize > limits.jsonBytes)
      throw new BrokenReply("too_large", `Cannot take a reply of more than ${limits.jsonBytes} bytes`);
    json.push(Buffer.from(bytes));
  }

  /** Like the other readers: reads on from `from`, and answers where the next reader begins. */
  function readStructure(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === quote) {
        beginString();
        return at + 1;
      }
      structure.see(byte);
    }
    return chunk.length;
  }

  function beginString(): void {
    const next = structure.nextString();
    if (next === "key") {
      key = "";
      read = readKey;
    } else if (next === "picture") {
      arriving = arrivingPicture(limits.pictureBytes);
      read = readPicture;
    } else {
      read = readString;
    }
  }

  function readString(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === quote && !isEscaped) {
        read = readStructure;
        return at + 1;
      }
      isEscaped = byte === backslash && !isEscaped;
    }
    return chunk.length;
  }

  function readKey(chunk: Buffer, from: number): number {
    const to = readString(chunk, from);
    key += chunk.toString("latin1", from, to);
    if (read === readStructure) structure.named(unescaped(key.slice(0, -1)));
    return to;
  }

  function readPicture(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(quote, from);
    const to = end === -1 ? chunk.length : end;
    const base64 = chunk.toString("latin1", from, to);
    arriving?.write(openEscape === "" && !base64.includes("\\") ? base64 : joinedEscapes(base64));
    if (end === -1) return to;
    endPicture();
    return end + 1;
  }

  /** An escape sequence may be cut anywhere: its beginning waits for the rest. */
  function joinedEscapes(base64: string): string {
    const text = openEscape + base64;
    openEscape = /\\(?:u[\da-f]{0,3})?$/i.exec(text)?.[0] ?? "";
    return unescaped(text.slice(0, text.length - openEscape.length));
  }

  function endPicture(): void {
    if (openEscape !== "") throw new BrokenReply("bad_base64", "Cannot decode a picture: it is not base64");
    if (arriving) pictures.set(found, arriving.end());
    structure.holds(found);
    found += 1;
    read = readStructure;
  }

  function keepOrDrop(index: number, isThought: boolean): void {
    kept += pictures.get(index)?.size ?? 0;
    if (isThought) drop(index);
    for (const earliest of pictures.keys()) {
      if (kept <= limits.pictureBytes) return;
      drop(earliest);
    }
  }

  function drop(index: number): void {
    const picture = pictures.get(index);
    if (!picture) return;
    release(picture);
    pictures.delete(index);
    kept -= picture.size;
  }

  return {
    write(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      let passed = 0; // all before is in `json`, or in a picture
      for (let at = 0; at < bytes.length; ) {
        const before = read;
        at = read(bytes, at);
        if (before === readPicture) passed = read === readPicture ? at : at - 1;
        else if (read === readPicture) {
          pass(bytes.subarray(passed, at));
          pass(Buffer.from(pictureName(found)));
          passed = at;
        }
      }
      pass(bytes.subarray(passed));
    },
    end() {
      if (read === readPicture)
        throw new BrokenReply("cut", "Cannot read the reply: it ended inside a picture");
      return { json: Buffer.concat(json), pictures };
    },
  };
}

/** Resolves the escapes that base64 and our keys may be written with. Any other stays, and is refused as base64. */
function unescaped(text: string): string {
  return text.replace(/\\(?:u00([0-7][\da-f])|\/)/gi, (_, code: string | undefined) =>
    code === undefined ? "/" : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
