import { BrokenReply } from "./broken-reply.ts";

/** Where in a reply's JSON the reader stands: told of each structural byte, it knows what the next string is. */
export type ReplyStructure = {
  /** Any byte outside of strings. */
  see(byte: number): void;
  /** The key that was just read, escapes and all. */
  named(key: string): void;
  /** What a string that begins here is; a `picture` is the base64 of inline data. */
  nextString(): "key" | "picture" | "string";
  /** The picture with this number was just read. */
  holds(picture: number): void;
};

/** An object or array that is open. */
type Frame = {
  /** The key under which it stands in its parent; empty in an array. */
  readonly name: string;
  readonly isObject: boolean;
  key: string;
  expectsKey: boolean;
  isThought: boolean;
  picture: number | undefined;
};

const deepest = 100;

/** @param onPart hears of each part with a picture as it closes, when it is known whether the part is a thought */
export function replyStructure(onPart: (picture: number, isThought: boolean) => void): ReplyStructure {
  const parents: Frame[] = [];
  let frame = opened("", false);

  function open(isObject: boolean): void {
    if (parents.length === deepest)
      throw new BrokenReply("too_large", "Cannot take a reply nested this deeply");
    parents.push(frame);
    frame = opened(frame.isObject ? frame.key : "", isObject);
  }

  function close(): void {
    const { name, picture, isThought } = frame;
    frame = parents.pop() ?? frame;
    if (picture === undefined) return;
    if (isInlineData(name)) frame.picture = picture;
    else onPart(picture, isThought);
  }

  return {
    see(byte) {
      switch (byte) {
        case 0x7b: // {
          return open(true);
        case 0x5b: // [
          return open(false);
        case 0x7d: // }
        case 0x5d: // ]
          return close();
        case 0x3a: // :
          frame.expectsKey = false;
          return;
        case 0x2c: // ,
          frame.expectsKey = frame.isObject;
          return;
        case 0x74: // the t of true
          if (frame.key === "thought") frame.isThought = true;
      }
    },
    named(key) {
      frame.key = key;
    },
    nextString() {
      if (frame.expectsKey) return "key";
      return frame.isObject && frame.key === "data" && isInlineData(frame.name) ? "picture" : "string";
    },
    holds(picture) {
      frame.picture = picture;
    },
  };
}

function opened(name: string, isObject: boolean): Frame {
  return { name, isObject, key: "", expectsKey: isObject, isThought: false, picture: undefined };
}

function isInlineData(name: string): boolean {
  return name === "inlineData" || name === "inline_data";
}
