import { sha256 } from "./random.ts";
import type { Usage } from "./reply.ts";
import { type CostTokens, noTokens } from "./usage.ts";

/** One call of a model, as the bill would know it. Times are RFC 3339; keys and prompts are never kept whole. */
export type LedgerCall = {
  id: string;
  /** When the call arrived. */
  at: string;
  model: string;
  keySha256: string;
  /** Of the last turn's text as sent, fault markers included. */
  promptSha256: string;
  /** Its first 80 characters. */
  prompt: string;
  inputImages: number;
  aspectRatio: string | null;
  imageSize: string | null;
  stream: boolean;
  /** The batch it is a row of. */
  batch: string | null;
  /** The faults it met, joined by "+". */
  fault: string | null;
  /** The HTTP status sent (or due, for a batch row); null while none has been. */
  status: number | null;
  finishReason: string | null;
  billed: boolean;
  /** Images the model made, delivered or not. */
  images: number;
  usage: Usage | null;
  /** What is billed; all 0 unless `billed`. */
  costTokens: CostTokens;
  /** When the model began to work; null if the request was refused first. */
  startedAt: string | null;
  /** When the call was over for the server, which may be after the client left. */
  finishedAt: string | null;
  /** Whether the client closed the connection before the answer was sent. */
  clientLeft: boolean;
};

export type Ledger = {
  calls: readonly LedgerCall[];
  totals: { calls: number; billed: number; images: number };
};

export type LedgerBook = {
  /** Records a call at its arrival. */
  open: (arrival: { model: string; key: string; stream: boolean; batch: string | null }) => LedgerCall;
  read: () => Ledger;
  clear: () => void;
};

/** An empty ledger. The entries it opens are live: whoever handles the call writes into them. */
export function createLedger(): LedgerBook {
  let calls: LedgerCall[] = [];
  let opened = 0;
  return {
    open({ model, key, stream, batch }) {
      opened += 1;
      const call: LedgerCall = {
        id: `call-${opened}`,
        at: new Date().toISOString(),
        model,
        keySha256: sha256(key),
        promptSha256: sha256(""),
        prompt: "",
        inputImages: 0,
        aspectRatio: null,
        imageSize: null,
        stream,
        batch,
        fault: null,
        status: null,
        finishReason: null,
        billed: false,
        images: 0,
        usage: null,
        costTokens: noTokens,
        startedAt: null,
        finishedAt: null,
        clientLeft: false,
      };
      calls.push(call);
      return call;
    },
    read() {
      const billed = calls.filter((call) => call.billed);
      const images = calls.reduce((sum, call) => sum + call.images, 0);
      return {
        calls: structuredClone(calls),
        totals: { calls: calls.length, billed: billed.length, images },
      };
    },
    clear() {
      calls = [];
    },
  };
}

/** Notes what was asked, once the request has been read. */
export function describePrompt(call: LedgerCall, prompt: string): void {
  call.promptSha256 = sha256(prompt);
  call.prompt = prompt.slice(0, 80);
}

/** Closes the entry of a call that was refused with an HTTP status; nothing is billed. */
export function closeRefused(call: LedgerCall, status: number): void {
  call.status = status;
  call.finishedAt = new Date().toISOString();
}
