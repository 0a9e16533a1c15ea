// The store as the loop writes it: under its epoch, remembering whether the last write came
// through, and saying so in the log once when that changes. Given the store. It decides nothing of
// what is written, and never tries again by itself.

import type { AgentView, Finding } from "@fairlead/model";
import { type Logger, describeError } from "@fairlead/runtime";

import type { Store, StoreChange } from "./ports.ts";

/** No controller comes to a later epoch by itself; an agent that names one is not believed. */
const EPOCH_MAX = 2 ** 40;

/** What became of a write. `fenced`: another controller has the store, and this one must end. */
export type Written = "durable" | "failed" | "fenced";

/** The store under one epoch. */
export interface StoreWriter {
  /** Carried by every write and every plan. */
  readonly epoch: number;
  readonly isFenced: boolean;
  /** Why the last write failed; undefined when it came through. */
  readonly trouble: string | undefined;
  /**
   * Makes changes durable, all or none. Without any the store is asked only after a write that
   * failed: what came of that one without an answer has to be put back.
   */
  write(changes: readonly StoreChange[]): Promise<Written>;
  /**
   * The latest epoch that an agent obeyed, where it is above this one: after its store was lost a
   * controller begins anew, and agents refuse every plan of a lower epoch.
   */
  obeyedAbove(agents: Iterable<AgentView>): number | undefined;
  /** Takes an epoch above one that was obeyed. */
  outrank(obeyed: number): Promise<Written>;
}

/** Makes it for a store that was opened with `epoch`. */
export function createStoreWriter(options: {
  readonly store: Store;
  readonly epoch: number;
  readonly log: Logger;
  readonly onFenced: (epoch: number) => void;
}): StoreWriter {
  return new Writer(options);
}

class Writer implements StoreWriter {
  readonly #options: Parameters<typeof createStoreWriter>[0];
  epoch: number;
  isFenced = false;
  trouble: string | undefined;

  constructor(options: Parameters<typeof createStoreWriter>[0]) {
    this.#options = options;
    this.epoch = options.epoch;
  }

  async write(changes: readonly StoreChange[]): Promise<Written> {
    if (changes.length === 0 && this.trouble === undefined) return "durable";
    return await this.#attempt((store) => store.commit(this.epoch, changes));
  }

  obeyedAbove(agents: Iterable<AgentView>): number | undefined {
    let highest = this.epoch;
    for (const { hello } of agents) {
      if (hello.epoch < EPOCH_MAX) highest = Math.max(highest, hello.epoch);
    }
    return highest > this.epoch ? highest : undefined;
  }

  async outrank(obeyed: number): Promise<Written> {
    const before = this.epoch;
    const written = await this.#attempt(async (store) => {
      const result = await store.outrank(before, obeyed);
      if (result.kind === "fenced") return result;
      this.epoch = result.epoch;
      return { kind: "committed" };
    });
    if (written === "durable") {
      const fields = { before, obeyed, epoch: this.epoch };
      this.#options.log.warn(fields, "agents obeyed a later epoch; was the store lost?");
    }
    return written;
  }

  async #attempt(run: (store: Store) => ReturnType<Store["commit"]>): Promise<Written> {
    const { log, store, onFenced } = this.#options;
    try {
      const result = await run(store);
      if (this.trouble !== undefined) log.info({}, "the store can be written again");
      this.trouble = undefined;
      if (result.kind === "committed") return "durable";
      this.isFenced = true;
      onFenced(result.epoch);
      return "fenced";
    } catch (error) {
      const trouble = describeError(error);
      if (this.trouble === undefined) log.error({ trouble }, "the store cannot be written");
      this.trouble = trouble;
      return "failed";
    }
  }
}

/** What is found wrong with the store. */
export function storeFindings(trouble: string | undefined): readonly Finding[] {
  if (trouble === undefined) return [];
  return [{ subject: "store", name: "store", reason: "StoreUnavailable", detail: trouble }];
}
