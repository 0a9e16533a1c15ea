// EndpointSlices and Nodes that cannot be used, as a cluster shows them: each is named, and takes
// no member away. One that is the API server itself is none. A cluster in memory, on a fake clock.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";

import { createFakeClock } from "@fairlead/runtime";

import type { KubeClient, Watcher } from "../../kube/kube-client.ts";
import { type Fields, SAMPLE_SETTINGS, sampleNode } from "../sample-objects.ts";
import { sampleService, sampleSlice } from "../sample-objects.ts";
import { createKubeSource } from "./kube-source.ts";

const SLICES = "/apis/discovery.k8s.io/v1/endpointslices";
const NODES = "/api/v1/nodes";

/** A cluster with the Service web, and what stands behind it by the path of its kind. */
class Stage {
  readonly clock = createFakeClock();
  /** What the name of the API server stands for. */
  serverAddresses: readonly string[] = [];
  readonly #lists: Map<string, Fields[]>;
  readonly #watchers = new Map<string, Watcher>();
  readonly #said: string[] = [];
  readonly #source;
  #version = 10;

  constructor(behind: ReadonlyMap<string, readonly Fields[]>) {
    const nodePort = { name: "http", port: 80, targetPort: 8080, nodePort: 30_080 };
    const web = sampleService({ ports: [nodePort] }, named("web"));
    this.#lists = new Map([["/api/v1/services", [web]], ...copies(behind)]);
    const client: KubeClient = {
      server: "https://memory:6443",
      request: async ({ path }) => {
        await setImmediate();
        const metadata = { resourceVersion: "9" };
        return { kind: "List", metadata, items: this.#lists.get(path) ?? [] };
      },
      watch: async ({ path }, watcher) => {
        await setImmediate();
        watcher.onOpen();
        this.#watchers.set(path, watcher);
        const { promise, reject } = Promise.withResolvers<never>();
        watcher.signal.addEventListener("abort", () => reject(watcher.signal.reason as Error));
        await promise;
      },
    };
    const members = behind.has(NODES) ? "nodes" : "endpoints";
    const settings = { ...SAMPLE_SETTINGS, members } as const;
    const { clock } = this;
    const random = (): number => 0.5;
    const lookUp = async (): Promise<readonly string[]> => this.serverAddresses;
    this.#source = createKubeSource({ client, clock, random, settings, lookUp, cluster: "lab" });
  }

  /** What was said until nothing more comes. */
  async said(): Promise<readonly string[]> {
    for (let turn = 0; turn < 10; turn += 1) {
      await this.clock.advance(50);
      for (let step = 0; step < 5; step += 1) await setImmediate();
    }
    return this.#said.splice(0);
  }

  async start(): Promise<readonly string[]> {
    void this.#source.start((facts) => {
      for (const fact of facts) {
        if (fact.kind === "claim-seen") {
          const members = fact.claim.listeners.flatMap((listener) => listener.members);
          this.#said.push(members.map(({ address, port }) => `${address}:${port}`).join(" "));
        } else if (fact.kind === "finding") {
          this.#said.push(`! ${fact.finding.name}: ${fact.finding.reason} ${fact.finding.detail}`);
        } else if (fact.kind === "finding-cleared" && fact.subject === "object") {
          this.#said.push(`ok ${fact.name}`);
        }
      }
    });
    return this.said();
  }

  async change(type: string, path: string, object: Fields): Promise<readonly string[]> {
    this.#version += 1;
    const metadata = { ...(object["metadata"] as Fields), resourceVersion: String(this.#version) };
    this.#watchers.get(path)?.onLine({ type, object: { ...object, metadata } });
    return this.said();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source[Symbol.asyncDispose]();
  }
}

function copies(lists: ReadonlyMap<string, readonly Fields[]>): [string, Fields[]][] {
  return Array.from(lists, ([path, items]) => [path, [...items]]);
}

function named(name: string): Fields {
  const labels = { "kubernetes.io/service-name": "web" };
  return { name, namespace: "default", uid: `uid-${name}`, resourceVersion: "5", labels };
}

const slice = (name: string, address: string, fields: Fields = {}): Fields =>
  sampleSlice({ metadata: named(name), endpoints: [{ addresses: [address] }], ...fields });

const node = (name: string, address: string): Fields => {
  const { namespace: _, ...metadata } = named(name);
  return sampleNode(name, { InternalIP: address }, metadata);
};

test("a slice that becomes unusable is named, and its members stay", async () => {
  await using stage = new Stage(new Map([[SLICES, [slice("web-1", "10.0.0.1")]]]));
  assert.deepEqual(await stage.start(), ["10.0.0.1:8080"]);
  const broken = slice("web-1", "10.0.0.1", { addressType: "IPv8" });
  const [said, ...more] = await stage.change("MODIFIED", SLICES, broken);
  assert.match(said ?? "", /^! EndpointSlice default\/web-1: BadField addressType/u);
  assert.deepEqual(more, []);
  assert.deepEqual(await stage.change("MODIFIED", SLICES, slice("web-1", "10.0.0.2")), [
    "ok EndpointSlice default/web-1",
    "10.0.0.2:8080",
  ]);
  await stage.change("MODIFIED", SLICES, broken);
  assert.deepEqual(await stage.change("DELETED", SLICES, broken), [
    "ok EndpointSlice default/web-1",
    "",
  ]);
});

test("a slice that never was usable is named, beside one that is", async () => {
  const slices = [slice("web-1", "10.0.0.1"), slice("web-2", "x", { addressType: "IPv8" })];
  await using stage = new Stage(new Map([[SLICES, slices]]));
  const [said, ...more] = await stage.start();
  assert.match(said ?? "", /^! EndpointSlice default\/web-2: BadField/u);
  assert.deepEqual(more, ["10.0.0.1:8080"]);
});

test("a slice whose name has a part longer than a DNS label counts", async () => {
  const name = `${"w".repeat(80)}-x7k2p`;
  await using stage = new Stage(new Map([[SLICES, [slice(name, "10.0.0.1")]]]));
  assert.deepEqual(await stage.start(), ["10.0.0.1:8080"]);
});

test("one port of a slice that is none costs that port alone", async () => {
  const ports = [
    { name: "none", port: 0 },
    { name: "beyond", port: 70_000 },
    { name: "http", port: 8080 },
  ];
  await using stage = new Stage(new Map([[SLICES, [slice("web-1", "10.0.0.1", { ports })]]]));
  assert.deepEqual(await stage.start(), ["10.0.0.1:8080"]);
});

test("a Node that becomes unusable is named, and stays a member", async () => {
  const nodes = [node("n1", "10.0.0.1"), node("n2", "10.0.0.2")];
  await using stage = new Stage(new Map([[NODES, nodes]]));
  assert.deepEqual(await stage.start(), ["10.0.0.1:30080 10.0.0.2:30080"]);
  const broken = { ...node("n2", "10.0.0.2"), status: { addresses: [{ type: "InternalIP" }] } };
  const [said, ...more] = await stage.change("MODIFIED", NODES, broken);
  assert.match(said ?? "", /^! Node n2: BadField status\.addresses/u);
  assert.deepEqual(more, []);
  assert.deepEqual(await stage.change("DELETED", NODES, broken), ["ok Node n2", "10.0.0.1:30080"]);
});

test("a Node with a long name is a member", async () => {
  const name = "ip-10-0-0-1".padEnd(70, "x");
  await using stage = new Stage(new Map([[NODES, [node(name, "10.0.0.1")]]]));
  assert.deepEqual(await stage.start(), ["10.0.0.1:30080"]);
});

const apiSlice = slice("web-1", "10.0.0.1", { ports: [{ name: "http", port: 6443 }] });

test("an endpoint that is an address of the API server's name is no member", async () => {
  await using stage = new Stage(new Map([[SLICES, [apiSlice]]]));
  stage.serverAddresses = ["10.0.0.9", "10.0.0.1"];
  assert.deepEqual((await stage.start()).at(-1), "");
});

test("an API server that gets another address is no member from the next look on", async () => {
  await using stage = new Stage(new Map([[SLICES, [apiSlice]]]));
  stage.serverAddresses = ["10.0.0.9"];
  assert.deepEqual(await stage.start(), ["10.0.0.1:6443"]);
  stage.serverAddresses = ["10.0.0.9", "10.0.0.1"];
  await stage.clock.advance(31_000);
  assert.deepEqual(await stage.said(), [""]);
});
