// Clients of the IPAM service that get no address: each is told why, with who has what he wants,
// and nothing changes by him.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { createMemoryIpamMedium, createMemoryIpamStore } from "@fairlead/testkit";

import { addressOf, id, makeIpamStage } from "./ipam-service-stage.ts";
import { register, type RegisterWish } from "./register.ts";

suite("whoever gets nothing is told why", () => {
  const cases: readonly {
    readonly name: string;
    readonly wish: Partial<RegisterWish> & { readonly wish?: string };
    readonly reason: string;
    readonly why: RegExp;
  }[] = [
    {
      name: "the address is somebody else's, with his name and since when",
      wish: { wish: "192.0.2.1" },
      reason: "AddressTaken",
      why: /^registration .*002 \("blog \\"x\\""\) holds 192\.0\.2\.1 since 2026-01-01T00:00:00\.00\dZ$/,
    },
    {
      name: "the class is full, with its counts",
      wish: {},
      reason: "ClassExhausted",
      why: /^no address is free in class lab: 192\.0\.2\.0-192\.0\.2\.1 \(2 of 2 held\)$/,
    },
    {
      name: "the address is in no netblock",
      wish: { wish: "198.51.100.1" },
      reason: "AddressOutsideClass",
      why: /^198\.51\.100\.1 is in no netblock of class lab$/,
    },
    {
      name: "the address is none that anybody could have",
      wish: { wish: "127.0.0.1" },
      reason: "AddressUnusable",
      why: /^127\.0\.0\.1 is loopback$/,
    },
    {
      name: "the class has nothing of the family",
      wish: { family: "ipv6" },
      reason: "FamilyUnavailable",
      why: /^class lab has no ipv6 netblock$/,
    },
    {
      name: "the class has no netblock",
      wish: { class: "bare" },
      reason: "NoNetblock",
      why: /^class bare has no netblock$/,
    },
    {
      name: "there is no such class",
      wish: { class: "lob" },
      reason: "UnknownClass",
      why: /^no class has the uuid or name lob$/,
    },
    {
      name: "the uuid holds another address",
      wish: { uuid: id(1), wish: "192.0.2.1" },
      reason: "RegistrationDiffers",
      why: /001 holds 192\.0\.2\.0, and 192\.0\.2\.1 is asked for$/,
    },
    {
      name: "the uuid is registered in another class",
      wish: { uuid: id(1), class: "bare" },
      reason: "UuidTaken",
      why: /001 is a registration of class lab$/,
    },
  ];
  for (const { name, wish, reason, why } of cases) {
    test(name, async () => {
      await using stage = await makeIpamStage(
        { lab: ["192.0.2.0/31"], bare: [] },
        { store: createMemoryIpamStore({ medium: createMemoryIpamMedium() }) },
      );
      await stage.register(1);
      await stage.register(2, { owner: 'blog "x"' });
      const { wish: text, ...rest } = wish;
      const address = text === undefined ? {} : { address: addressOf(text) };
      const answer = await stage.service.run(
        register({ class: "lab", uuid: id(9), ...rest, ...address }),
      );
      assert.ok(answer.kind === "refused", JSON.stringify(answer));
      assert.equal(answer.reason, reason);
      assert.match(answer.why, why);
      assert.equal(stage.service.view().registrations.size, 2);
    });
  }
});
