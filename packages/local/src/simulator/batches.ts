import { type BatchState, type BatchView, operationOf, type RowResult } from "./batch-operation.ts";
import { type Row, rowsOf } from "./batch-rows.ts";
import { generate } from "./generate.ts";
import { pause } from "./latency.ts";
import { closeRefused } from "./ledger.ts";
import { findModel, modelNotFoundMessage } from "./models.ts";
import { internalError, notFound, Refusal, rowError } from "./refusal.ts";
import type { BatchInput } from "./request-fields.ts";
import type { World } from "./world.ts";

/** Who asks for a batch, and what its parsed body holds. */
type NewBatch = { model: string; version: string; key: string; input: BatchInput };

export type Batches = {
  /** Gives the Operation of a new batch; its rows are worked on one after the other. */
  create: (batch: NewBatch) => object;
  get: (name: string) => object;
  list: () => readonly object[];
  cancel: (name: string) => void;
  remove: (name: string) => void;
  clear: () => void;
};

type Batch = Omit<BatchView, "rows" | "results"> & {
  asked: NewBatch;
  rows: readonly Row[];
  results: RowResult[];
};

/** The batches of one simulator. A row goes through the same code as a single call, faults and ledger included. */
export function createBatches(world: World): Batches {
  const batches = new Map<string, Batch>();
  const find = (name: string) => {
    const batch = batches.get(name);
    if (batch === undefined) throw notFound("Requested entity was not found.");
    return batch;
  };
  return {
    create(asked) {
      if (findModel(asked.model) === undefined) {
        throw notFound(modelNotFoundMessage(asked.model, asked.version, "batchGenerateContent"));
      }
      const now = new Date().toISOString();
      const batch: Batch = {
        asked,
        name: `batches/${world.ids.resource()}`,
        model: asked.model,
        displayName: asked.input.displayName ?? null,
        state: "PENDING",
        createdAt: now,
        updatedAt: now,
        rows: rowsOf(world, asked.input),
        results: [],
        responsesFile: null,
        error: null,
      };
      batches.set(batch.name, batch);
      work(world, batch).catch((error: unknown) => {
        console.error(`Batch "${batch.name}" of the simulator broke`, error);
        fail(batch, rowError(internalError()));
      });
      return shown(batch, true);
    },
    get: (name) => shown(find(name), true),
    list: () => [...batches.values()].map((batch) => shown(batch, false)),
    cancel: (name) => cancel(find(name)),
    remove(name) {
      cancel(find(name));
      batches.delete(name);
    },
    clear() {
      for (const batch of batches.values()) cancel(batch);
      batches.clear();
    },
  };
}

async function work(world: World, batch: Batch): Promise<void> {
  if (!(await pause(world.latency.medianMs, world.stopping)) || batch.state !== "PENDING") return;
  if (batch.rows.length === 0) {
    fail(batch, { code: 3, message: "The batch has no requests." });
    return;
  }
  enter(batch, "RUNNING");
  for (const row of batch.rows) {
    const result = await workRow(world, batch, row);
    if (!isOpen(batch)) return;
    batch.results.push(result);
  }
  if (batch.asked.input.inputConfig?.fileName !== undefined) {
    const lines = batch.results.map((result) => `${JSON.stringify(result)}\n`).join("");
    const file = world.files.put({
      name: `files/batch-${batch.name.slice("batches/".length)}`,
      displayName: null,
      mimeType: "application/jsonl",
      bytes: Buffer.from(lines),
      source: "GENERATED",
    });
    batch.responsesFile = file.name;
  }
  enter(batch, "SUCCEEDED");
}

async function workRow(world: World, batch: Batch, row: Row): Promise<RowResult> {
  const { model, version, key } = batch.asked;
  const entry = world.ledger.open({ model, key, stream: false, batch: batch.name });
  const known = {
    ...(row.key === null ? {} : { key: row.key }),
    ...(row.metadata === undefined ? {} : { metadata: row.metadata }),
  };
  try {
    const request = row.read();
    const { result, delivery } = await generate(world, { model, version, key, request, entry });
    if (result.kind === "error") return { error: rowError(result.error), ...known };
    if (delivery.kind === "whole" || delivery.kind === "drip") return { response: result.reply, ...known };
    return { error: rowError(internalError()), ...known };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    closeRefused(entry, error.reply.status);
    return { error: rowError(error.reply), ...known };
  }
}

function cancel(batch: Batch): void {
  if (isOpen(batch)) enter(batch, "CANCELLED");
}

function fail(batch: Batch, error: object): void {
  batch.error = error;
  enter(batch, "FAILED");
}

function enter(batch: Batch, state: BatchState): void {
  batch.state = state;
  batch.updatedAt = new Date().toISOString();
}

function isOpen(batch: Batch): boolean {
  return batch.state === "PENDING" || batch.state === "RUNNING";
}

function shown(batch: Batch, withOutput: boolean): object {
  return operationOf({ ...batch, rows: batch.rows.length }, withOutput);
}
