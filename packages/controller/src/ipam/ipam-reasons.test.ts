// Every reason for which the IPAM service refuses, as a client meets it: a reason without its story
// does not compile. Commands are pure functions, so that the limits of the service cost nothing.

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { parseAddress, parseRange, present } from "@fairlead/model";
import { createAllotMemory } from "@fairlead/planner";

import { createClass, deleteClass, renameClass } from "./class-commands.ts";
import { type IpamClass, parseUuid, type Registration, type Uuid } from "./ipam-model.ts";
import { IPAM_REASONS, type IpamReason } from "./ipam-refusal.ts";
import {
  type ClassState,
  type Command,
  EMPTY_IPAM,
  type IpamContext,
  type IpamState,
  openState,
} from "./ipam-state.ts";
import { renew } from "./keep.ts";
import { changeNetblock, createNetblock, deleteNetblock } from "./netblock-commands.ts";
import { register } from "./register.ts";

interface Story {
  /** What is there before. Default: class lab with 192.0.2.0/31, of which client 1 has .0. */
  readonly given?: IpamState;
  readonly asked: Command<unknown>;
  readonly why: RegExp;
}

const STORIES: Readonly<Record<IpamReason, readonly Story[]>> = {
  UnknownClass: [{ asked: renameClass("lob", "lab"), why: /uuid or name lob$/ }],
  UnknownNetblock: [{ asked: deleteNetblock(id(8)), why: /000008$/ }],
  UnknownRegistration: [{ asked: renew(id(8)), why: /no registration has the uuid .*008$/ }],
  NameTaken: [{ asked: createClass({ uuid: id(8), name: "lab" }), why: /is called lab$/ }],
  UuidTaken: [{ asked: createClass({ uuid: id(100), name: "new" }), why: /is class lab$/ }],
  ClassInUse: [{ asked: deleteClass("lab"), why: /1 netblocks, 1 registrations$/ }],
  NetblockOverlap: [
    { asked: addBlock(8, "192.0.2.1"), why: /overlaps with netblock 192\.0\.2\.0/ },
  ],
  NetblockInUse: [
    { asked: changeNetblock(id(200), range("192.0.2.1")), why: /holds 192\.0\.2\.0/ },
  ],
  BadNetblock: [{ asked: addBlock(8, "224.0.0.0/24"), why: /multicast/ }],
  NoNetblock: [{ given: openState(stored([labClass(0)])), asked: ask(2), why: /has no netblock$/ }],
  FamilyUnavailable: [{ asked: ask(2, { family: "ipv6" }), why: /no ipv6 netblock$/ }],
  AddressTaken: [{ asked: ask(2, { address: "192.0.2.0" }), why: /001 holds 192\.0\.2\.0 since/ }],
  AddressOutsideClass: [{ asked: ask(2, { address: "192.0.2.9" }), why: /in no netblock/ }],
  AddressUnusable: [{ asked: ask(2, { address: "127.0.0.1" }), why: /is loopback$/ }],
  ClassExhausted: [
    { given: played(ask(2), given()), asked: ask(3), why: /192\.0\.2\.1 \(2 of 2 held\)$/ },
  ],
  RegistrationDiffers: [
    { asked: ask(1, { address: "192.0.2.1" }), why: /holds 192\.0\.2\.0, and/ },
  ],
  LimitReached: [
    {
      given: openState(stored(Array.from({ length: 1000 }, (_, n) => labClass(n)))),
      asked: createClass({ uuid: id(9000), name: "more" }),
      why: /^there are 1000 classes$/,
    },
    {
      given: Array.from({ length: 255 }).reduce<IpamState>(
        (state, _, n) => played(addBlock(1000 + n, `10.0.${n}.0/24`), state),
        given(),
      ),
      asked: addBlock(9000, "10.1.0.0/24"),
      why: /^class lab has 256 netblocks$/,
    },
    {
      given: { ...given(), registrations: new Map(manyRegistrations(100_000)) },
      asked: ask(200_001),
      why: /^there are 100000 registrations$/,
    },
  ],
};

suite("a client is told", () => {
  for (const reason of Object.keys(IPAM_REASONS) as IpamReason[]) {
    const stories = STORIES[reason];
    test(`${reason}: ${IPAM_REASONS[reason].what}`, () => {
      assert.notEqual(stories.length, 0);
      for (const { given: before = given(), asked, why } of stories) {
        const answer = asked(before, context());
        assert.ok(answer.kind === "refused", String(why));
        assert.equal(answer.reason, reason);
        assert.match(answer.why, why);
      }
    });
  }
});

function given(): IpamState {
  const steps: readonly Command<unknown>[] = [
    createClass(labClass(0)),
    addBlock(200, "192.0.2.0/31"),
    ask(1),
  ];
  return steps.reduce((state, step) => played(step, state), EMPTY_IPAM);
}

function played(command: Command<unknown>, state: IpamState): IpamState {
  const outcome = command(state, context());
  assert.ok(outcome.kind === "done", JSON.stringify(outcome));
  return outcome.state;
}

function context(): IpamContext {
  const memory = createAllotMemory();
  return { nowMs: 1, openedMs: 0, leaseMs: 1000, graceMs: 1000, memoryOf: () => memory };
}

function stored(classes: readonly IpamClass[]): Parameters<typeof openState>[0] {
  return { classes, netblocks: [], registrations: [], addresses: [] };
}

/** Number 0 is lab. */
function labClass(n: number): IpamClass {
  return { uuid: id(100 + n), name: n === 0 ? "lab" : `lab-${n}`, createdMs: 0, modifiedMs: 0 };
}

function* manyRegistrations(count: number): Generator<readonly [Uuid, Registration]> {
  const address = present(parseAddress("192.0.2.0"), "an address");
  for (let n = 0; n < count; n += 1) {
    const uuid = id(n + 2);
    yield [uuid, { uuid, class: id(100), address, createdMs: 0, renewedMs: 0 }];
  }
}

function ask(
  client: number,
  wish: { readonly address?: string; readonly family?: "ipv4" | "ipv6" } = {},
): Command<unknown> {
  const { address: text, ...rest } = wish;
  const address = text === undefined ? {} : { address: present(parseAddress(text), text) };
  return register({ class: "lab", uuid: id(client), ...rest, ...address });
}

function addBlock(n: number, text: string): Command<unknown> {
  return createNetblock({ uuid: id(n), class: "lab", range: range(text) });
}

function id(n: number): Uuid {
  return present(parseUuid(`00000000-0000-4000-8000-${`${n}`.padStart(12, "0")}`), "a uuid");
}

function range(text: string): ClassState["netblocks"][number]["range"] {
  const parsed = parseRange(text);
  assert.ok(parsed.kind === "ok", text);
  return parsed.value;
}
