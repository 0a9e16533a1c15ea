// Watches of the client: lines as they come and whole, every way to an end, and who hears of it.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { suite, test } from "node:test";

import { createFakeClock, type FakeClock } from "@fairlead/runtime";
import {
  chunkedAnswer,
  type KubeStub,
  type RawServer,
  startKubeStub,
  startRawServer,
} from "@fairlead/testkit";

import { ANSWER_MS_MAX, createKubeClient, type KubeClient, type Watcher } from "./kube-client.ts";

const REQUEST = {
  method: "GET",
  path: "/api/v1/services",
  query: { watch: "1", resourceVersion: "1000", allowWatchBookmarks: "true" },
} as const;
const WATCHES = { resource: "services", verb: "watch" } as const;

interface Bench extends AsyncDisposable {
  readonly stub: KubeStub;
  readonly clock: FakeClock;
  readonly client: KubeClient;
}

async function bench(): Promise<Bench> {
  const stub = await startKubeStub();
  const clock = createFakeClock();
  const client = createKubeClient({ access: stub.access, clock, userAgent: "t" });
  return { stub, clock, client, [Symbol.asyncDispose]: () => stub[Symbol.asyncDispose]() };
}

/** Somebody who listens, and what they heard. */
class Listener implements Watcher {
  readonly stop = new AbortController();
  readonly signal: AbortSignal = this.stop.signal;
  readonly lines: unknown[] = [];
  opened = 0;
  #waiting: (() => void)[] = [];

  onOpen(): void {
    this.opened += 1;
  }

  onLine(value: unknown): void {
    this.lines.push(value);
    for (const look of this.#waiting.splice(0)) look();
  }

  async heard(count: number): Promise<void> {
    while (this.lines.length < count) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  types(): readonly unknown[] {
    return this.lines.map((line) => (line as { readonly type?: unknown }).type);
  }
}

function service(name: string, text = ""): object {
  const metadata = { name, annotations: { text } };
  return { kind: "Service", metadata, spec: { ports: [{ port: 80 }] } };
}

suite("a watch", () => {
  test("hands on each line when it comes, and resolves when the server ends it", async () => {
    await using at = await bench();
    const listener = new Listener();
    const ended = at.client.watch(REQUEST, listener);
    await at.stub.watching("services");
    at.stub.put(service("a"));
    await listener.heard(1);
    assert.equal(listener.opened, 1);
    at.stub.put(service("b"));
    at.stub.remove("Service", "default", "a");
    at.stub.bookmark();
    await listener.heard(4);
    assert.deepEqual(listener.types(), ["ADDED", "ADDED", "DELETED", "BOOKMARK"]);
    at.stub.endWatches();
    await ended;
    assert.equal(getEventListeners(listener.signal, "abort").length, 0);
    assert.equal(at.clock.pendingTimers(), 0);
  });

  test("lives longer than an answer may take", async () => {
    await using at = await bench();
    const listener = new Listener();
    const ended = at.client.watch(REQUEST, listener);
    await at.stub.watching("services");
    at.stub.put(service("a"));
    await listener.heard(1);
    await at.clock.advance(10 * ANSWER_MS_MAX);
    at.stub.put(service("b"));
    await listener.heard(2);
    at.stub.endWatches();
    await ended;
  });

  test("that is refused was never open", async () => {
    await using at = await bench();
    at.stub.forbid({ verb: "watch", resource: "services" });
    const listener = new Listener();
    await assert.rejects(at.client.watch(REQUEST, listener), { code: "FORBIDDEN" });
    assert.equal(listener.opened, 0);
  });

  test("that nobody answers is TIMEOUT", async () => {
    await using at = await bench();
    const hang = at.stub.fault({ when: WATCHES, do: { kind: "hang" } });
    const failed = assert.rejects(at.client.watch(REQUEST, new Listener()), { code: "TIMEOUT" });
    await hang.met();
    await at.clock.advance(ANSWER_MS_MAX);
    await failed;
  });

  test("that nobody listens for is UNREACHABLE", async () => {
    await using at = await bench();
    await at.stub.stop();
    await assert.rejects(at.client.watch(REQUEST, new Listener()), { code: "UNREACHABLE" });
  });

  test("that is cut between lines or in one is CUT, after what came whole", async () => {
    await using at = await bench();
    for (const where of ["between-lines", "mid-line"] as const) {
      const listener = new Listener();
      const failed = assert.rejects(at.client.watch(REQUEST, listener), { code: "CUT" });
      await at.stub.watching("services");
      at.stub.put(service("a", where));
      await listener.heard(1);
      at.stub.cutWatches("services", where);
      await failed;
      assert.ok(listener.lines.length >= 1);
    }
  });

  test("whose server goes down is CUT", async () => {
    await using at = await bench();
    const failed = assert.rejects(at.client.watch(REQUEST, new Listener()), { code: "CUT" });
    await at.stub.watching("services");
    await at.stub.stop();
    await failed;
  });

  test("with a line that is no JSON is SERVER", async () => {
    await using at = await bench();
    at.stub.fault({ when: WATCHES, do: { kind: "garbage" } });
    await assert.rejects(at.client.watch(REQUEST, new Listener()), { code: "SERVER" });
    assert.equal(at.stub.watches(), 0);
  });

  test("hands an ERROR event on as a line", async () => {
    await using at = await bench();
    at.stub.fault({ when: WATCHES, do: { kind: "error-event", code: 410 } });
    const listener = new Listener();
    await at.client.watch(REQUEST, listener);
    assert.deepEqual(listener.types(), ["ERROR"]);
  });
});

suite("a line", () => {
  test("that is larger than any object ends the watch, and is not kept whole", async () => {
    await using at = await bench();
    at.stub.fault({ when: WATCHES, do: { kind: "long-line", bytes: 20_000_000 } });
    const listener = new Listener();
    await assert.rejects(at.client.watch(REQUEST, listener), {
      code: "SERVER",
      message: "GET /api/v1/services: the answer is larger than is read",
    });
    assert.equal(listener.lines.length, 0);
  });

  test("as large as an object may be comes whole", async () => {
    await using at = await bench();
    at.stub.fault({ when: WATCHES, do: { kind: "long-line", bytes: 12_000_000 } });
    const listener = new Listener();
    const failed = assert.rejects(at.client.watch(REQUEST, listener), /enough/u);
    await listener.heard(1);
    assert.equal(JSON.stringify(listener.lines[0]).length > 12_000_000, true);
    listener.stop.abort(new Error("enough"));
    await failed;
  });

  test("whose characters come in pieces is put together", async () => {
    const text = "ä€😀";
    const bytes = Buffer.from(`${JSON.stringify({ text })}\n${JSON.stringify({ text })}\n`);
    // One byte a chunk: each character is torn wherever it can be.
    await using server = await chunks(Array.from(bytes, (byte) => Buffer.from([byte])));
    const listener = new Listener();
    await clientOf(server).watch(REQUEST, listener);
    assert.deepEqual(listener.lines, [{ text }, { text }]);
  });

  test("may be one of many in a chunk, or empty, which is none", async () => {
    await using server = await chunks(["1\n\n2\r\n\n[3", "]\n4\n"]);
    const listener = new Listener();
    await clientOf(server).watch(REQUEST, listener);
    assert.deepEqual(listener.lines, [1, 2, [3], 4]);
  });

  test("that the end of a whole answer cuts is CUT", async () => {
    await using server = await chunks(['{"a":1}\n{"b"']);
    const listener = new Listener();
    await assert.rejects(clientOf(server).watch(REQUEST, listener), { code: "CUT" });
    assert.deepEqual(listener.lines, [{ a: 1 }]);
    await using torn = await chunks(["1\n", Buffer.from([0xe2, 0x82])]);
    await assert.rejects(clientOf(torn).watch(REQUEST, new Listener()), { code: "CUT" });
  });
});

suite("who listens", () => {
  test("and throws at a line ends the watch with that, and hears no more", async () => {
    await using server = await chunks(["1\n2\n3\n"]);
    const trouble = new Error("a line too many");
    const seen: unknown[] = [];
    const listener = new Listener();
    listener.onLine = (value) => {
      seen.push(value);
      if (value === 2) throw trouble;
    };
    await assert.rejects(clientOf(server).watch(REQUEST, listener), trouble);
    assert.deepEqual(seen, [1, 2]);
  });

  test("and throws at the opening ends the watch with that, and its connection", async () => {
    await using at = await bench();
    const trouble = new Error("not now");
    const listener = new Listener();
    listener.onOpen = () => {
      throw trouble;
    };
    await assert.rejects(at.client.watch(REQUEST, listener), trouble);
    await at.stub.unwatched("services");
    assert.equal(getEventListeners(listener.signal, "abort").length, 0);
  });

  test("and gives up hears no more, not even what came with the last line", async () => {
    await using server = await chunks(["1\n2\n3\n"]);
    const reason = new Error("enough");
    const seen: unknown[] = [];
    const listener = new Listener();
    listener.onLine = (value) => {
      seen.push(value);
      listener.stop.abort(reason);
    };
    await assert.rejects(clientOf(server).watch(REQUEST, listener), reason);
    assert.deepEqual(seen, [1]);
  });

  test("and gives up before, while and after it opens gets the reason", async () => {
    await using at = await bench();
    const reason = new Error("enough");
    const before = new Listener();
    before.stop.abort(reason);
    await assert.rejects(at.client.watch(REQUEST, before), reason);
    assert.deepEqual(at.stub.requests(), []);

    const hang = at.stub.fault({ when: WATCHES, do: { kind: "hang" } });
    const opening = new Listener();
    const notOpened = assert.rejects(at.client.watch(REQUEST, opening), reason);
    await hang.met();
    opening.stop.abort(reason);
    await notOpened;

    const open = new Listener();
    const ended = assert.rejects(at.client.watch(REQUEST, open), reason);
    await at.stub.watching("services");
    at.stub.put(service("a"));
    await open.heard(1);
    open.stop.abort(reason);
    await ended;
    await at.stub.unwatched("services");
    assert.equal(at.clock.pendingTimers(), 0);
    for (const { signal } of [before, opening, open]) {
      assert.equal(getEventListeners(signal, "abort").length, 0);
    }
  });
});

/** A server whose good answer has these chunks, each by itself. */
function chunks(parts: readonly (Buffer | string)[]): Promise<RawServer> {
  return startRawServer({ pieces: chunkedAnswer(parts) });
}

function clientOf({ server }: RawServer): KubeClient {
  const access = { server, requestOptions: () => Promise.resolve({}) };
  return createKubeClient({ access, clock: createFakeClock(), userAgent: "t" });
}
