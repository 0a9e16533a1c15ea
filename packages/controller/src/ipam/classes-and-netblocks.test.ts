// What whoever keeps the IPAM service may do with its classes and netblocks while they are in use,
// and what he is told where he may not.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { createMemoryIpamMedium, createMemoryIpamStore } from "@fairlead/testkit";

import { createClass, deleteClass, renameClass } from "./class-commands.ts";
import { blockId, classId, id, makeIpamStage, range } from "./ipam-service-stage.ts";
import { type Command } from "./ipam-state.ts";
import { changeNetblock, createNetblock, deleteNetblock } from "./netblock-commands.ts";

suite("classes and netblocks", () => {
  const cases: readonly {
    readonly name: string;
    readonly command: Command<unknown>;
    readonly answer: RegExp;
  }[] = [
    {
      name: "a class made again is the same one",
      command: createClass({ uuid: classId("lab"), name: "lab" }),
      answer: /^done false$/,
    },
    {
      name: "a class of a name that is taken is refused",
      command: createClass({ uuid: id(7), name: "lab" }),
      answer: /^NameTaken class .* is called lab$/,
    },
    {
      name: "a class of a uuid that is taken is refused",
      command: createClass({ uuid: classId("lab"), name: "other" }),
      answer: /^UuidTaken .* is class lab$/,
    },
    { name: "a class may be renamed", command: renameClass("lab", "labs"), answer: /^done false$/ },
    {
      name: "a class may not be renamed to another one",
      command: renameClass("lab", "bare"),
      answer: /^NameTaken/,
    },
    { name: "an empty class may go", command: deleteClass("bare"), answer: /^done false$/ },
    {
      name: "a class in use stays",
      command: deleteClass("lab"),
      answer: /^ClassInUse class lab has 2 netblocks, 1 registrations$/,
    },
    {
      name: "a netblock may not overlap inside its class",
      command: createNetblock({ uuid: id(7), class: "lab", range: range("192.0.2.3-192.0.2.9") }),
      answer:
        /^NetblockOverlap 192\.0\.2\.3-192\.0\.2\.9 overlaps with netblock 192\.0\.2\.0-192\.0\.2\.3 of class lab$/,
    },
    {
      name: "an IPv6 netblock may not overlap inside its class either",
      command: createNetblock({ uuid: id(7), class: "lab", range: range("2001:db8::8000:0/97") }),
      answer: /^NetblockOverlap/,
    },
    {
      name: "a netblock may overlap with one of another class",
      command: createNetblock({ uuid: id(7), class: "bare", range: range("192.0.2.0/24") }),
      answer: /^done true$/,
    },
    {
      name: "a netblock of multicast addresses is refused",
      command: createNetblock({ uuid: id(7), class: "bare", range: range("224.0.0.0/24") }),
      answer: /^BadNetblock .* holds multicast addresses$/,
    },
    {
      name: "a netblock may grow over where it was",
      command: changeNetblock(blockId("lab", 0), range("192.0.2.0/29")),
      answer: /^done false$/,
    },
    {
      name: "a netblock may shrink to what is held",
      command: changeNetblock(blockId("lab", 0), range("192.0.2.0")),
      answer: /^done false$/,
    },
    {
      name: "a netblock may not shrink under what is held",
      command: changeNetblock(blockId("lab", 0), range("192.0.2.1-192.0.2.3")),
      answer: /^NetblockInUse registration .*001 holds 192\.0\.2\.0 of 192\.0\.2\.0-192\.0\.2\.3$/,
    },
    {
      name: "a netblock in use stays",
      command: deleteNetblock(blockId("lab", 0)),
      answer: /^NetblockInUse/,
    },
    {
      name: "a netblock that nobody uses may go",
      command: deleteNetblock(blockId("lab", 1)),
      answer: /^done false$/,
    },
    {
      name: "what is not there is said so",
      command: deleteNetblock(id(8)),
      answer: /^UnknownNetblock/,
    },
  ];
  for (const { name, command, answer } of cases) {
    test(name, async () => {
      await using stage = await makeIpamStage(
        { lab: ["192.0.2.0/30", "2001:db8::/64"], bare: [] },
        { store: createMemoryIpamStore({ medium: createMemoryIpamMedium() }) },
      );
      await stage.register(1);
      const got = await stage.service.run(command);
      const text = got.kind === "done" ? `done ${got.isNew}` : `${got.reason} ${got.why}`;
      assert.match(text, answer);
    });
  }
});
