// Where stories of following Services play: a server whose objects the story changes, a way to it
// that the story can close, and time that passes as the stage has it. Implemented over the stub
// with a clock that stands still, and over a real API server with one that runs fast.

import type { KubeAccess } from "@fairlead/controller";
import { type Clock, createFakeClock, createSystemClock, type FakeClock } from "@fairlead/runtime";

import { type KubeStub, startKubeStub } from "../kube-stub/kube-stub.ts";
import { openTcpGate, type TcpGate } from "../kube-stub/tcp-gate.ts";

/** A stage. It has one namespace of its own, in which there is nothing at first. */
export interface ListWatchStage extends AsyncDisposable {
  /** `/api/v1/namespaces/NAMESPACE/services` */
  readonly path: string;
  /** Through the gate. */
  readonly access: KubeAccess;
  readonly gate: TcpGate;
  readonly clock: Clock;
  /** Makes a Service, or changes it. `value` is its label `value`. */
  put(name: string, value: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** The server ends and starts again. */
  restart(): Promise<void>;
  /** Calls `work`, then makes the store what it was before, versions included. */
  undo(work: () => Promise<void>): Promise<void>;
  /** Time passes until it is so. Rejects when it is not so after long, with what it was. */
  until(isSo: () => boolean, what: () => string): Promise<void>;
  /** Time passes. */
  pass(ms: number): Promise<void>;
}

/** A stage over the stub. */
export interface StubStage extends ListWatchStage {
  readonly clock: FakeClock;
  readonly stub: KubeStub;
}

/** No story takes longer, in ms of the stage's clock. */
export const STORY_MS_MAX = 600_000;
/** Time of the fake clock between two looks: an answer takes many of them. */
const STEP_MS = 50;

/** Makes a stage over a stub, whose time stands still but while it is waited. */
export async function makeStubStage(): Promise<StubStage> {
  const clock = createFakeClock();
  const stub = await startKubeStub({ wallMs: () => clock.wallMs() });
  const { hostname, port } = new URL(stub.server);
  const gate = await openTcpGate({ host: hostname, port: Number(port) });
  const server = `http://${gate.host}:${gate.port}`;
  return {
    stub,
    path: "/api/v1/namespaces/default/services",
    access: { server, requestOptions: () => Promise.resolve({}) },
    gate,
    clock,
    put: (name, value) => Promise.resolve(void stub.put(storyService(name, "default", value))),
    remove: (name) => Promise.resolve(void stub.remove("Service", "default", name)),
    restart: async () => {
      await stub.stop();
      await stub.start();
    },
    undo: async (work) => {
      const snapshot = stub.snapshot();
      await work();
      stub.restore(snapshot);
    },
    until: async (isSo, what) => {
      const endMs = clock.nowMs() + STORY_MS_MAX;
      while (!isSo()) {
        if (clock.nowMs() > endMs) throw new Error(`in vain: ${what()}`);
        await clock.advance(STEP_MS);
      }
    },
    pass: async (ms) => {
      const endMs = clock.nowMs() + ms;
      while (clock.nowMs() < endMs) await clock.advance(Math.min(STEP_MS, endMs - clock.nowMs()));
    },
    [Symbol.asyncDispose]: async () => {
      await gate[Symbol.asyncDispose]();
      await stub[Symbol.asyncDispose]();
    },
  };
}

/** A Service as stories have it. */
export function storyService(name: string, namespace: string, value: string): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels: { value } },
    spec: { ports: [{ port: 80, protocol: "TCP" }] },
  };
}

/** A clock on which everything takes a fraction of its time. */
export function createFastClock(times: number): Clock {
  const real = createSystemClock();
  const startMs = real.nowMs();
  const wallStartMs = real.wallMs();
  const nowMs = (): number => (real.nowMs() - startMs) * times;
  return {
    nowMs,
    wallMs: () => wallStartMs + nowMs(),
    setTimer: (delayMs, run) => real.setTimer(delayMs / times, run),
    sleep: (delayMs, signal) => real.sleep(delayMs / times, signal),
  };
}
