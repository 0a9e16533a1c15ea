// The source over a real etcd: what people write there becomes facts, through bad values, breaks,
// compaction and lists that lack what was there.

import assert from "node:assert/strict";
import { test } from "node:test";

import type { EtcdCluster } from "@fairlead/lab";
import type { ClaimListener } from "@fairlead/model";
import { createSystemClock } from "@fairlead/runtime";
import { createFastClock, shareEtcd } from "@fairlead/testkit";

import { toolPath } from "../../../../../test/tools/tool-path.ts";
import { connectStore } from "../../etcd/connect-store.ts";
import type { EtcdClient } from "../../etcd/etcd-client.ts";
import { makeEtcdError } from "../../etcd/etcd-errors.ts";
import type { Fact } from "../../facts.ts";
import { readObjects } from "../objects.ts";
import { SAMPLE_SETTINGS, sampleService, sampleSlice } from "../sample-objects.ts";
import type { ServiceBackend, ServiceBackends } from "../service-backends.ts";
import { createEtcdVipSource } from "./etcd-vip-source.ts";

const place = shareEtcd(toolPath("etcd", "server"));

interface Stage extends AsyncDisposable {
  readonly etcd: EtcdCluster;
  readonly base: string;
  put(name: string, value: object | string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Waits for a fact that was not waited for before, and gives it as text. */
  next(text: string): Promise<void>;
  /** Lets watches be opened, or has them fail. */
  setWatchable(isWatchable: boolean): void;
}

async function start(clock = createSystemClock(), backends?: ServiceBackends): Promise<Stage> {
  const { etcd, base, store } = await place();
  const put = (name: string, value: object | string): Promise<void> =>
    etcd.put(`${base}/vips/${name}`, typeof value === "string" ? value : JSON.stringify(value));
  const client = connectStore(store, createSystemClock());
  const gate = gated(client);
  const said: string[] = [];
  let look = (): void => undefined;
  await put("first", { port: 80, members: ["10.0.0.1:80"] });
  const source = createEtcdVipSource({
    client: gate,
    base,
    clock,
    random: () => 0,
    settings: SAMPLE_SETTINGS,
    ...(backends === undefined ? {} : { backends }),
  });
  await source.start((facts) => {
    said.push(...facts.map(textOf));
    look();
  });
  return {
    etcd,
    base,
    put,
    remove: (name) => etcd.remove(`${base}/vips/${name}`),
    next: async (text) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(
        () => reject(new Error(`${text} in vain: ${said.join("; ")}`)),
        20_000,
      );
      look = () => {
        const at = said.indexOf(text);
        if (at < 0) return;
        said.splice(at, 1);
        resolve();
      };
      look();
      await promise;
      clearTimeout(timer);
    },
    setWatchable: (isWatchable) => gate.setWatchable(isWatchable),
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      client[Symbol.dispose]();
    },
  };
}

function textOf(fact: Fact): string {
  switch (fact.kind) {
    case "claim-seen":
      return `${fact.claim.id} ${fact.claim.listeners.map(listenerText).join()}`;
    case "claim-gone":
      return `${fact.id} ${fact.how}`;
    case "finding":
      return `${fact.finding.name}: ${fact.finding.reason}`;
    case "finding-cleared":
      return `${fact.name}: well`;
    case "source-listed":
      return `listed ${[...fact.claims].toSorted((a, b) => (a < b ? -1 : 1)).join(" ")}`.trim();
    default:
      return fact.kind;
  }
}

/** The port, and how many members it has where that is not one. */
function listenerText({ port, members }: ClaimListener): string {
  return members.length === 1 ? `${port}` : `${port} with ${members.length}`;
}

function gated(client: EtcdClient): EtcdClient & { setWatchable(isWatchable: boolean): void } {
  let isOpen = true;
  const ends = new Set<() => void>();
  const lost = makeEtcdError({ code: "UNREACHABLE", message: "the gate is closed" });
  return {
    ...client,
    watch: async (options) => {
      if (!isOpen) throw lost;
      const watch = await client.watch(options);
      ends.add(() => {
        watch[Symbol.dispose]();
        options.onEnd(lost);
      });
      return watch;
    },
    setWatchable: (isWatchable) => {
      isOpen = isWatchable;
      if (isOpen) return;
      for (const end of ends) end();
      ends.clear();
    },
  };
}

test("what is written, changed and deleted shows at once", async () => {
  await using stage = await start();
  await stage.next("virtualip/default/first 80");
  await stage.next("listed virtualip/default/first");
  await stage.put("second", { port: 90, members: ["10.0.0.1:80"], namespace: "shop" });
  await stage.next("virtualip/shop/second 90");
  await stage.put("first", { port: 81, members: ["10.0.0.1:80"] });
  await stage.next("virtualip/default/first 81");
  await stage.remove("first");
  await stage.next("virtualip/default/first seen-deleted");
  await stage.put("second", { port: 90, members: ["10.0.0.1:80"] });
  await stage.next("virtualip/shop/second seen-deleted");
  await stage.next("virtualip/default/second 90");
});

test("a bad value is an error for that one alone, and its last good one stays", async () => {
  await using stage = await start();
  await stage.next("listed virtualip/default/first");
  await stage.put("first", "{");
  await stage.put("Bad Name", "{}");
  await stage.put("second", { port: 90, members: ["10.0.0.1:80"] });
  await stage.next("VirtualIP first: BadField");
  await stage.next("virtualip/default/second 90");
  await stage.remove("Bad Name");
  await stage.next("VirtualIP Bad Name: well");
  await stage.put("first", { port: 80, members: ["10.0.0.1:80"] });
  await stage.next("VirtualIP first: well");
});

test("a VIP that names a Service has its members, whenever they change", async () => {
  let backend: ServiceBackend | undefined;
  let tell = (): void => undefined;
  const backends: ServiceBackends = {
    find: (key) => (key === "default/web" ? backend : undefined),
    onChange: (listener) => {
      tell = listener;
    },
  };
  await using stage = await start(createSystemClock(), backends);
  await stage.put("second", { port: 90, service: "web" });
  await stage.next("virtualip/default/second 90 with 0");
  const [service] = readObjects(sampleService(), "web.yaml").objects;
  const [slice] = readObjects(sampleSlice(), "web.yaml").objects;
  assert.ok(service?.kind === "Service" && slice?.kind === "EndpointSlice");
  backend = { service: service.value, slices: [slice.value], nodes: [] };
  tell();
  await stage.next("virtualip/default/second 90 with 2");
  backend = { ...backend, slices: [] };
  tell();
  await stage.next("virtualip/default/second 90 with 0");
});

test("a deletion during a break is seen by the history, and one that is compacted by lists", async () => {
  await using stage = await start(createFastClock(200));
  await stage.put("second", { port: 90, members: ["10.0.0.1:80"] });
  await stage.put("third", { port: 91, members: ["10.0.0.1:80"] });
  await stage.next("virtualip/default/third 91");
  stage.setWatchable(false);
  await stage.next("etcd: SourceUnreadable");
  await stage.remove("second");
  stage.setWatchable(true);
  await stage.next("virtualip/default/second seen-deleted");
  await stage.next("etcd: well");
  stage.setWatchable(false);
  await stage.next("etcd: SourceUnreadable");
  await stage.remove("third");
  await stage.put("fourth", { port: 92, members: ["10.0.0.1:80"] });
  await stage.etcd.compact();
  stage.setWatchable(true);
  await stage.next("virtualip/default/fourth 92");
  await stage.next("listed virtualip/default/first virtualip/default/fourth");
  await stage.next("virtualip/default/third absent");
  await stage.remove("first");
  await stage.remove("fourth");
  await stage.next("virtualip/default/fourth seen-deleted");
});
