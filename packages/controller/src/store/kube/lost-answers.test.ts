// Writes of the journal without an answer, several in a row: any of them may stand there, or land
// late. Over a stub of an API server, behind a client that plays what becomes of each write.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { createSystemClock, isEdgeError } from "@fairlead/runtime";
import { type KubeStub, makeLease, startKubeStub } from "@fairlead/testkit";

import { createKubeClient, type KubeClient, type KubeRequest } from "../../kube/kube-client.ts";
import { KubeError } from "../../kube/kube-errors.ts";
import type { StoreChange } from "../../ports.ts";
import { createKubeStore } from "./kube-store.ts";

/** What becomes of a write of the journal; `late`: it arrives right before the next one. */
type Fate = "no request" | "no answer" | "late";

const FATES: readonly Fate[] = ["no request", "no answer", "late"];
const ONE = FATES.map((fate): readonly Fate[] => [fate]);
const TWO = ONE.flatMap((before) => FATES.map((fate) => [...before, fate]));
const THREE = TWO.flatMap((before) => FATES.map((fate) => [...before, fate]));

const clock = createSystemClock();
const put = (index: number): StoreChange => ({ kind: "put-lease", lease: makeLease(index) });

suite("several answers in a row that are lost do not end the controller that has the store", () => {
  for (const fates of [...ONE, ...TWO, ...THREE]) {
    test(fates.join(", "), async () => {
      await using stub = await startKubeStub();
      const coming: Fate[] = [];
      const client = unreliable(clientOf(stub), () => coming.shift());
      await using store = createKubeStore({ client, clock });
      const { epoch } = await store.open();
      coming.push(...fates);
      for (const index of fates.keys()) {
        await assert.rejects(store.commit(epoch, [put(index)]), isUnreachable);
      }
      assert.deepEqual(await store.commit(epoch, [put(10)]), { kind: "committed" });
      await using next = createKubeStore({ client: clientOf(stub), clock });
      assert.deepEqual((await next.open()).leases, [makeLease(10)]);
    });
  }
});

test("one that took the epoch whose own taking had no answer is not taken for us", async () => {
  await using stub = await startKubeStub();
  const coming: Fate[] = [];
  const client = unreliable(clientOf(stub), () => coming.shift());
  await using first = createKubeStore({ client, clock });
  const { epoch } = await first.open();
  coming.push("no request", "no request");
  for (let tries = 0; tries < 2; tries += 1) {
    await assert.rejects(first.outrank(epoch, epoch + 1), isUnreachable);
  }
  await using second = createKubeStore({ client: clientOf(stub), clock });
  await second.open();
  const now = await second.open();
  assert.equal(now.epoch, epoch + 2, "the very one");
  const late = await first.commit(epoch, [put(1)]);
  assert.deepEqual(late, { kind: "fenced", epoch: now.epoch });
  assert.deepEqual(await second.commit(now.epoch, [put(2)]), { kind: "committed" });
});

function isUnreachable(error: unknown): boolean {
  return isEdgeError(error, "UNREACHABLE");
}

function clientOf(stub: KubeStub): KubeClient {
  return createKubeClient({ access: stub.access, clock, userAgent: "test" });
}

/** The client whose writes of the journal meet their fates; undefined: all is well. */
function unreliable(client: KubeClient, fateOf: () => Fate | undefined): KubeClient {
  let late: KubeRequest | undefined;
  /** Whether it lands or comes too late: nobody hears of it. */
  const land = async (request: KubeRequest | undefined): Promise<void> => {
    if (request !== undefined) await client.request(request).catch(() => undefined);
  };
  return {
    ...client,
    request: async (request, signal) => {
      if (request.method !== "PUT" || !request.path.includes("storejournals")) {
        return await client.request(request, signal);
      }
      const fate = fateOf();
      await land(late);
      late = fate === "late" ? request : undefined;
      if (fate === undefined) return await client.request(request, signal);
      if (fate === "no answer") await land(request);
      throw new KubeError({ code: "UNREACHABLE", message: `lost: ${fate}` });
    },
  };
}
