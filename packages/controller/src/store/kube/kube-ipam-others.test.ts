// Others at the rows of the IPAM service in a cluster, over a stub of an API server: a controller
// that opens them too, an older copy that is put back, and objects that somebody removes.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { isEdgeError } from "@fairlead/runtime";
import { startKubeStub } from "@fairlead/testkit";

import { release, renewMany } from "../../ipam/keep.ts";
import {
  addressOf,
  clientOf,
  FIRST,
  MANY,
  SECOND,
  serve,
  THIRD,
  wholeIn,
  withBefore,
} from "./ipam-stage.ts";

suite("others at the IPAM store in a cluster", () => {
  test("fence whoever opened before, and have all that it told", async () => {
    await using stub = await startKubeStub();
    await using first = await serve(stub);
    const told = await addressOf(first, FIRST);
    await using second = await serve(stub);
    assert.equal(await addressOf(second, FIRST), told, "the same uuid gets the same address");
    const other = await addressOf(second, SECOND);
    await assert.rejects(addressOf(first, THIRD), (error) => isEdgeError(error, "FENCED"));
    await assert.rejects(first.run(release(FIRST)), (error) => isEdgeError(error, "FENCED"));
    const expected = new Map([
      [FIRST, told],
      [SECOND, other],
    ]);
    assert.deepEqual((await wholeIn(stub)).held, expected);
  });

  for (const when of ["before", "after"] as const) {
    test(`are not undone by objects that come late, ${when} their own`, async () => {
      await using stub = await startKubeStub();
      const [frozen, begun] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const slow = withBefore(clientOf(stub), async ({ method, path }) => {
        if (method === "GET" || !path.includes("ipamshards")) return;
        begun.resolve();
        await frozen.promise;
      });
      const some = MANY.slice(0, 200);
      await using first = await serve(stub, { client: slow });
      await Promise.all(some.map((uuid) => addressOf(first, uuid)));
      await begun.promise;
      await using second = await serve(stub);
      const create = { verb: "create", resource: "ipamshards" } as const;
      if (when === "before") {
        frozen.resolve();
        await stub.asked(create);
      }
      await Promise.all(some.map((uuid) => second.run(release(uuid))));
      const kept = await addressOf(second, SECOND);
      await second.shown();
      frozen.resolve();
      await first[Symbol.asyncDispose]();
      assert.deepEqual((await wholeIn(stub)).held, new Map([[SECOND, kept]]));
      assert.ok(stub.counts(create).write > 64, "both made them");
    });
  }

  test("that put an older copy back end the one that runs", async () => {
    await using stub = await startKubeStub();
    await using service = await serve(stub);
    const snapshot = stub.snapshot();
    await addressOf(service, FIRST);
    stub.restore(snapshot);
    await assert.rejects(addressOf(service, SECOND), (error) => isEdgeError(error, "CONFLICT"));
  });

  test("that remove objects have them back whole when their rows change", async () => {
    await using stub = await startKubeStub();
    await using service = await serve(stub);
    const some = MANY.slice(0, 200);
    await Promise.all(some.map((uuid) => addressOf(service, uuid)));
    await service.shown();
    await service.run(renewMany(some));
    const { held, shards } = await wholeIn(stub);
    assert.equal(held.size, some.length);
    for (const { name } of shards) if (name.startsWith("reg")) stub.remove("IpamShard", "", name);
    await service.shown();
    assert.deepEqual((await wholeIn(stub)).held, held);
  });
});
