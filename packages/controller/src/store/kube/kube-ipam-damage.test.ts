// Rows of the IPAM service in a cluster that cannot be read, over a stub of an API server: what is
// wrong is named, and nothing is taken.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { isEdgeError } from "@fairlead/runtime";
import { type KubeStub, startKubeStub } from "@fairlead/testkit";

import { renew } from "../../ipam/keep.ts";
import { addressOf, FIRST, MANY, serve, wholeIn } from "./ipam-stage.ts";

suite("rows in a cluster that cannot be read keep the IPAM shut, and nothing is taken", () => {
  const cases = [
    {
      name: "an object that is not packed",
      damage: (stub: KubeStub) => {
        putShard(stub, "classes-00", "rows");
      },
      says: /^damaged object ipamshards classes-00: it is not packed/,
    },
    {
      name: "an object that holds a row of another",
      damage: (stub: KubeStub, [one = "", two = ""]: readonly string[]) => {
        const spec = stub.get("IpamShard", "", two)?.["spec"] as { readonly rows: string };
        putShard(stub, one, spec.rows);
      },
      says: /^damaged object ipamshards addresses-\d\d: it holds addresses\/a/,
    },
    {
      name: "registrations whose addresses are gone",
      damage: (stub: KubeStub, names: readonly string[]) => {
        for (const name of names) stub.remove("IpamShard", "", name);
      },
      says: /^damaged rows of the IPAM: registration d\S+ needs address a\S+, which is not there$/,
    },
  ];
  for (const { name, damage, says } of cases) {
    test(name, async () => {
      await using stub = await startKubeStub();
      {
        await using service = await serve(stub);
        await Promise.all(MANY.slice(0, 200).map((uuid) => addressOf(service, uuid)));
        await service.shown();
        // The journal forgets what objects show.
        await service.run(renew(FIRST));
      }
      const names = (await wholeIn(stub)).shards.map((shard) => shard.name);
      damage(
        stub,
        names.filter((one) => one.startsWith("addresses")),
      );
      const before = stub.get("StoreJournal", "", "ipam");
      await assert.rejects(serve(stub), (error) => {
        assert.ok(isEdgeError(error, "CORRUPT"), String(error));
        assert.match(error.message, says);
        return true;
      });
      assert.deepEqual(stub.get("StoreJournal", "", "ipam"), before);
    });
  }
});

function putShard(stub: KubeStub, name: string, rows: string): void {
  stub.put({ kind: "IpamShard", metadata: { name }, epoch: 1, spec: { rows } });
}
