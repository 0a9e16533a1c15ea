// Carries out what Services need written: one write at a time for each, few at once over all. Given
// the view of Services and what is wanted of them; it decides nothing but when. What is about an
// address goes before words about one.
//
// A Service is judged again when: its record or what is wanted of it changed; its write ended; its
// wait is over; the right that it waited for may be tried, or is there.

import type { ClaimId } from "@fairlead/model";
import { type Clock, describeError, type Timer } from "@fairlead/runtime";

import { crash } from "../../crash.ts";
import { isRightMissing } from "../../kube/grant-commands.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { KubeError, requestWords } from "../../kube/kube-errors.ts";
import { isJson } from "../../kube/object-fields.ts";
import { readServiceRecord } from "../../kube/read-record.ts";
import type { ServiceRecord } from "../../kube/service-record.ts";
import { nextWrites, type ServiceWrite } from "./next-write.ts";
import { FAILURES_TOLD, type Right, type Troubles } from "./publish-trouble.ts";
import { createRightGates, type RightGates, type RightThere } from "./right-gates.ts";
import type { ServiceView } from "./service-view.ts";
import type { WantedService } from "./wanted-service.ts";
import { WriteMemory } from "./write-memory.ts";
import { createWritePace, type Job, type WritePace } from "./write-pace.ts";
import { writeRequest } from "./write-request.ts";
import { askedMs, failureResult, type OnWrite, type WriteResult } from "./write-result.ts";

/**
 * A thousand Services at once take two thousand writes, which have to be done within 12 s: 500 at
 * once and 300 a second take 5 s, where the server is as fast. No more than six are under way, with
 * the two of Events eight over all: what an API server handles of one client without noticing.
 */
const PACE = { atOnceMax: 6, perSecond: 300, burst: 500 };

/** What the writer works on. */
export interface ServiceWriterOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly view: ServiceView;
  /** Undefined: it is not known yet what is wanted, so nothing is written. */
  readonly wantedOf: (id: ClaimId) => WantedService | undefined;
  readonly troubles: Troubles;
  readonly onWrite: OnWrite;
  /** What the server said of the Service's external IPs; undefined: it took them. */
  readonly onExternal: (id: ClaimId, denied: string | undefined) => void;
}

/** The writer. Disposing ends what is under way and starts nothing more. */
export interface ServiceWriter extends AsyncDisposable {
  /** Something about the Service changed: its record, or what is wanted of it. */
  look(id: ClaimId): void;
}

/** Makes a writer at rest. */
export function createServiceWriter(options: ServiceWriterOptions): ServiceWriter {
  return new Writer(options);
}

/** What is going on with one Service. */
interface Slot {
  readonly memory: WriteMemory;
  timer?: Timer | undefined;
  isBusy: boolean;
}

/** A write that may go now, or when there may be one: what is to be written shows only then. */
type Due = { readonly slot: Slot } & (
  | { readonly write: ServiceWrite }
  | { readonly write?: never; readonly dueMs: number }
);

class Writer implements ServiceWriter {
  readonly #options: ServiceWriterOptions;
  readonly #stop = new AbortController();
  readonly #slots = new Map<ClaimId, Slot>();
  /** Services whose write may go, first come first. */
  readonly #urgent = new Set<ClaimId>();
  readonly #usual = new Set<ClaimId>();
  readonly #pace: WritePace;
  readonly #rights: RightGates<ClaimId>;

  constructor(options: ServiceWriterOptions) {
    this.#options = options;
    this.#pace = createWritePace({ ...options, ...PACE, take: () => this.#take() });
    this.#rights = createRightGates({ ...options, onDue: (id) => this.look(id) });
  }

  look(id: ClaimId): void {
    // One that is being written is judged when that ends.
    if (this.#stop.signal.aborted || this.#slots.get(id)?.isBusy === true) return;
    this.#judge(id);
    this.#pace.poke();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("stopped"));
    for (const { timer } of this.#slots.values()) timer?.cancel();
    this.#rights[Symbol.dispose]();
    await this.#pace[Symbol.asyncDispose]();
  }

  /** Puts the Service where it belongs: at rest, waiting, or ready to be written. */
  #judge(id: ClaimId): void {
    const { clock, troubles } = this.#options;
    const before = this.#slots.get(id);
    before?.timer?.cancel();
    if (before !== undefined) before.timer = undefined;
    this.#urgent.delete(id);
    this.#usual.delete(id);
    const due = this.#due(id);
    if (due === undefined) {
      for (const kind of KINDS) troubles.isWell(`${id} ${kind}`);
      this.#rights.leave(id);
      this.#slots.get(id)?.memory.rest();
      return;
    }
    if (due.write !== undefined) {
      (isUrgent(due.write) ? this.#urgent : this.#usual).add(id);
      return;
    }
    // It may be over by now: timers of a real clock fire a moment early, and thinking takes one.
    const waitMs = Math.max(0, due.dueMs - clock.nowMs());
    due.slot.timer = clock.setTimer(waitMs, () => this.look(id));
  }

  /** Undefined when there is nothing to write. `without`: what waits for a right. */
  #due(id: ClaimId, without?: ServiceWrite): Due | undefined {
    const { clock, view, wantedOf } = this.#options;
    const record = view.get(id);
    if (record === undefined) this.#slots.delete(id);
    const wanted = wantedOf(id);
    if (record === undefined || wanted === undefined) return undefined;
    const nowMs = clock.nowMs();
    const known = this.#slots.get(id);
    const conflictMs = known?.memory.conflictUntilMs(record, nowMs);
    if (known !== undefined && conflictMs !== undefined) return { slot: known, dueMs: conflictMs };
    let dueMs = Number.POSITIVE_INFINITY;
    for (const write of nextWrites(record, wanted, clock.wallMs())) {
      if (write.kind === without?.kind) continue;
      const slot = this.#slotOf(id, record);
      const timing = slot.memory.judge(write, nowMs);
      if (timing.kind === "go") return { slot, write };
      if (timing.kind === "settled") continue;
      dueMs = Math.min(dueMs, timing.untilMs);
      // It goes before the others, unless the server does not take it.
      if (timing.kind === "wait") break;
    }
    const slot = this.#slots.get(id);
    return slot === undefined || dueMs === Number.POSITIVE_INFINITY ? undefined : { slot, dueMs };
  }

  #slotOf(id: ClaimId, { uid }: ServiceRecord): Slot {
    const known = this.#slots.get(id);
    if (known?.memory.uid === uid) return known;
    const slot: Slot = { memory: new WriteMemory(uid, this.#options.random), isBusy: false };
    this.#slots.set(id, slot);
    return slot;
  }

  /** The next write that may go: first what is about an address. */
  #take(): Job | undefined {
    return this.#takeFrom(this.#urgent) ?? this.#takeFrom(this.#usual);
  }

  #takeFrom(ready: Set<ClaimId>): Job | undefined {
    for (const id of ready) {
      ready.delete(id);
      const due = this.#due(id);
      if (due?.write === undefined) {
        // The view went on since it was judged.
        this.#judge(id);
        continue;
      }
      const job = this.#jobOf(id, due) ?? this.#jobOf(id, this.#due(id, due.write));
      if (job !== undefined) return job;
    }
    return undefined;
  }

  /** Undefined for what may not go now: without the right it waits for that. */
  #jobOf(id: ClaimId, due: Due | undefined): Job | undefined {
    if (due?.write === undefined) return undefined;
    const { slot, write } = due;
    if (!this.#rights.enter(rightThere(write), id)) return undefined;
    return () => this.#carryOut(id, slot, write);
  }

  async #carryOut(id: ClaimId, slot: Slot, write: ServiceWrite): Promise<void> {
    const { signal } = this.#stop;
    slot.isBusy = true;
    try {
      const answer = await this.#send(write);
      if (!signal.aborted) this.#written(id, slot, write, answer);
    } catch (error) {
      if (!signal.aborted) this.#failed(id, slot, write, error);
    }
    slot.isBusy = false;
    if (!signal.aborted) this.#judge(id);
  }

  async #send(write: ServiceWrite): Promise<ServiceRecord> {
    const request = writeRequest(write);
    const answer = await this.#options.client.request(request, this.#stop.signal);
    if (isJson(answer)) return readServiceRecord(answer);
    const message = `${requestWords(request)}: the answer is no object`;
    throw new KubeError({ code: "SERVER", message });
  }

  #written(id: ClaimId, slot: Slot, write: ServiceWrite, answer: ServiceRecord): void {
    const { clock, view, troubles, onWrite } = this.#options;
    view.keep(id, answer);
    slot.memory.written(write, answer, clock.nowMs());
    troubles.isWell(`${id} ${kindOf(write)}`);
    if (write.kind === "external") this.#options.onExternal(id, undefined);
    this.#pace.answered();
    this.#rights.passed(rightThere(write));
    onWrite(kindOf(write), "written");
  }

  #failed(id: ClaimId, slot: Slot, write: ServiceWrite, error: unknown): void {
    const { clock, view, onWrite } = this.#options;
    const result = failureResult(error);
    if (result === undefined || !(error instanceof Error)) {
      // A bug of ours: the process ends, and its supervisor restarts it.
      return crash(error);
    }
    onWrite(kindOf(write), result);
    const there = rightThere(write);
    if (result === "unreachable") {
      this.#pace.failed(askedMs(error));
      this.#rights.failed(there);
      return;
    }
    this.#pace.answered();
    if (result === "forbidden" && isRightMissing(error)) {
      this.#rights.failed(there, error);
      return;
    }
    // Whatever else the server has against it, the right is there.
    this.#rights.passed(there);
    const nowMs = clock.nowMs();
    if (result === "conflict") {
      view.drop(id);
      slot.memory.conflicted(write, nowMs);
    } else this.#objected(id, slot, { write, result, error });
  }

  /** The server answered that it will not, or that it cannot just now. */
  #objected(id: ClaimId, { memory }: Slot, { write, result, error }: Objection): void {
    const { clock, troubles } = this.#options;
    // An admission plugin that forbids external IPs says so whenever it is asked.
    const isDenied = result === "forbidden" && write.kind === "external";
    if (isDenied) this.#options.onExternal(id, describeError(error));
    if (result === "refused" || isDenied) memory.refused(write, clock.nowMs());
    else memory.failed(write, clock.nowMs());
    const isTold = result !== "failed" || memory.failures(write) >= FAILURES_TOLD;
    if (isTold) troubles.fails(`${id} ${kindOf(write)}`, error);
  }
}

interface Objection {
  readonly write: ServiceWrite;
  readonly result: WriteResult;
  readonly error: Error;
}

const PATCH_SERVICES: Right = { verb: "patch", resource: "services" };
const PATCH_STATUS: Right = { verb: "patch", resource: "services/status" };

function rightThere(write: ServiceWrite): RightThere {
  const right = kindOf(write) === "status" ? PATCH_STATUS : PATCH_SERVICES;
  return { right, namespace: write.record.namespace };
}

/** Each has its own trouble. */
const KINDS = ["finalizer", "external-ips", "status"] as const;

function kindOf({ kind }: ServiceWrite): (typeof KINDS)[number] {
  if (kind === "external") return "external-ips";
  return kind === "hold" || kind === "release" ? "finalizer" : "status";
}

/** Whether it is about an address, and not only about words. */
function isUrgent(write: ServiceWrite): boolean {
  return write.kind !== "status" || write.news === "addresses";
}
