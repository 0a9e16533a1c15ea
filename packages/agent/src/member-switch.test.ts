// Where members stand on hosts that can have the kernel's table and on hosts that cannot, by what
// the operator asked for.

import assert from "node:assert/strict";
import { test } from "node:test";

import { EdgeError } from "@fairlead/runtime";

import { memberTableOr } from "./member-switch.ts";

const failure = (code: string): EdgeError<string> =>
  new EdgeError({ code, message: "it does not work", retryable: false });

interface Case {
  readonly name: string;
  readonly asked: "kernel" | "nginx" | undefined;
  /** What comes of making the table. Default: it is made. */
  readonly fails?: EdgeError<string>;
  readonly stand: "in the kernel" | "in nginx's file" | "nowhere, as it is no start";
  /** Whether the operator is told. */
  readonly isTold?: true;
}

const cases: readonly Case[] = [
  { name: "a host that can have the table has it", asked: undefined, stand: "in the kernel" },
  { name: "who asks for the table has it", asked: "kernel", stand: "in the kernel" },
  { name: "who asks for the file has it", asked: "nginx", stand: "in nginx's file" },
  {
    name: "a kernel without NAT is no hindrance, and that is said",
    asked: undefined,
    fails: failure("NFT"),
    stand: "in nginx's file",
    isTold: true,
  },
  {
    name: "nor is one where service addresses cannot be routed",
    asked: undefined,
    fails: failure("ROUTE"),
    stand: "in nginx's file",
    isTold: true,
  },
  {
    name: "who asks for the table is not given the file instead",
    asked: "kernel",
    fails: failure("NFT"),
    stand: "nowhere, as it is no start",
  },
  {
    name: "what says nothing of the kernel is no reason for the file",
    asked: undefined,
    fails: failure("TIMEOUT"),
    stand: "nowhere, as it is no start",
  },
];

for (const { name, asked, fails, stand, isTold } of cases) {
  test(name, async () => {
    const told: unknown[] = [];
    let tries = 0;
    const make = (): Promise<string> => {
      tries += 1;
      return fails === undefined ? Promise.resolve("in the kernel") : Promise.reject(fails);
    };
    const log = { warn: (fields: object) => void told.push(fields) };
    const table = memberTableOr({ asked, make, log });
    const where = table.then((made) => made ?? "in nginx's file");
    assert.equal(await where.catch(() => "nowhere, as it is no start"), stand);
    assert.equal(tries, asked === "nginx" ? 0 : 1, "the kernel is not touched without need");
    assert.deepEqual(told, isTold === true ? [{ why: "it does not work" }] : []);
  });
}
