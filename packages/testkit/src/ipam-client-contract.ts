// What every client of an IPAM elsewhere has to do, as tests that a client's own test file plays.
// Given an IPAM with a class of three IPv4 addresses and none of IPv6.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import type { IpamClient } from "@fairlead/controller";
import type { Address, PoolName } from "@fairlead/model";

/** An IPAM and a client of it. */
export interface IpamClientStage extends AsyncDisposable {
  readonly client: IpamClient;
  readonly url: string;
  readonly pool: PoolName;
  readonly class: string;
  /** All that the class has, lowest first. */
  readonly addresses: readonly [Address, Address, Address];
}

const [ME, OTHER, THIRD, FOURTH] = [1, 2, 3, 4].map(
  (last) => `d0000000-0000-4000-8000-00000000000${last}`,
) as [string, string, string, string];
const FAMILY = "ipv4";

/** Plays the contract. */
export function testIpamClientContract(
  name: string,
  makeStage: () => Promise<IpamClientStage>,
): void {
  suite(name, () => {
    test("the same uuid is given the same address, however often it asks", async () => {
      await using stage = await makeStage();
      const wish = { uuid: ME, family: FAMILY, owner: "web" } as const;
      const first = await stage.client.register(stage, wish);
      assert.deepEqual(first, { kind: "granted", address: stage.addresses[0] });
      assert.deepEqual(await stage.client.register(stage, wish), first);
      const other = await stage.client.register(stage, { ...wish, uuid: OTHER });
      assert.deepEqual(other, { kind: "granted", address: stage.addresses[1] });
    });

    test("an address that is asked for is given, or refused in words that name it", async () => {
      await using stage = await makeStage();
      const [, , last] = stage.addresses;
      const wish = { family: FAMILY, address: last, owner: "web" } as const;
      const given = await stage.client.register(stage, { uuid: ME, ...wish });
      assert.deepEqual(given, { kind: "granted", address: last });
      const taken = await stage.client.register(stage, { uuid: OTHER, ...wish });
      assert.match(refusal(taken), new RegExp(`${last}.*\\(AddressTaken\\)`, "u"));
      const unknown = await stage.client.register(
        { ...stage, class: "nothing" },
        { ...wish, uuid: OTHER },
      );
      assert.match(refusal(unknown), /nothing.*\(UnknownClass\)/u);
    });

    test("an address whose uuid asks again has the owner that it says by then", async () => {
      await using stage = await makeStage();
      const wish = { family: FAMILY, address: stage.addresses[0], owner: "web" } as const;
      await stage.client.register(stage, { uuid: ME, ...wish });
      const again = await stage.client.register(stage, { uuid: ME, ...wish, owner: "mail" });
      assert.deepEqual(again, { kind: "granted", address: wish.address });
      const taken = await stage.client.register(stage, { uuid: OTHER, ...wish });
      assert.match(refusal(taken), /\bmail\b/u);
    });

    test("what is all given is refused until something is released", async () => {
      await using stage = await makeStage();
      for (const uuid of [ME, OTHER, THIRD]) {
        await stage.client.register(stage, { uuid, family: FAMILY, owner: "web" });
      }
      const wish = { uuid: FOURTH, family: FAMILY, owner: "mail" } as const;
      const full = await stage.client.register(stage, wish);
      assert.match(refusal(full), /\(ClassExhausted\)/u);
      await stage.client.release(stage, OTHER);
      await stage.client.release(stage, OTHER);
      const served = await stage.client.register(stage, wish);
      assert.deepEqual(served, { kind: "granted", address: stage.addresses[1] });
    });

    test("a renewal names those that are not known", async () => {
      await using stage = await makeStage();
      await stage.client.register(stage, { uuid: ME, family: FAMILY, owner: "web" });
      assert.deepEqual(await stage.client.renew(stage, [ME, OTHER]), [OTHER]);
      await stage.client.release(stage, ME);
      assert.deepEqual(await stage.client.renew(stage, [ME, OTHER]), [ME, OTHER]);
      assert.deepEqual(await stage.client.renew(stage, []), []);
    });
  });
}

function refusal(answer: Awaited<ReturnType<IpamClient["register"]>>): string {
  assert.equal(answer.kind, "refused", JSON.stringify(answer));
  return answer.kind === "refused" ? answer.detail : "";
}
