// An IPAM service on the fake clock, over a store that a test gives, and its clients by their
// numbers. For tests alone.

import assert from "node:assert/strict";

import { parseAddress, parseRange, present } from "@fairlead/model";
import { createFakeClock, createLogger, type FakeClock } from "@fairlead/runtime";

import { createClass } from "./class-commands.ts";
import { parseUuid, type Uuid } from "./ipam-model.ts";
import { createIpamService, type IpamService } from "./ipam-service.ts";
import type { Command } from "./ipam-state.ts";
import { type changeNetblock, createNetblock } from "./netblock-commands.ts";
import type { IpamStore } from "./ports.ts";
import { register, type RegisterWish } from "./register.ts";

/** A registration is held for so long after it was renewed, in ms. */
export const LEASE_MS: number = 60 * 60_000;
/** And for so long after that, in ms. */
export const GRACE_MS: number = 10 * 60_000;

/** A service with its clients; disposing ends it. */
export interface IpamStage extends AsyncDisposable {
  readonly service: IpamService;
  readonly clock: FakeClock;
  /** Registers the client of this number; resolves with its address. */
  register(
    client: number,
    wish?: Partial<Omit<RegisterWish, "address">> & { readonly wish?: string },
  ): Promise<string>;
  /** Runs a command that is not refused. */
  done<T>(command: Command<T>): Promise<T>;
}

/** A service with these classes and their netblocks, the oldest first. */
export async function makeIpamStage(
  classes: Readonly<Record<string, readonly string[]>>,
  options: { readonly store: IpamStore; readonly clock?: FakeClock },
): Promise<IpamStage> {
  const { store, clock = createFakeClock() } = options;
  const log = createLogger({ level: "silent", format: "json" });
  const service = await createIpamService({
    store,
    clock,
    log,
    leaseMs: LEASE_MS,
    graceMs: GRACE_MS,
  });
  const done = async <T>(command: Command<T>): Promise<T> => {
    const answer = await service.run(command);
    assert.ok(answer.kind === "done", JSON.stringify(answer));
    return answer.value;
  };
  for (const [name, ranges] of Object.entries(classes)) {
    await done(createClass({ uuid: classId(name), name }));
    for (const [index, text] of ranges.entries()) {
      await clock.advance(1);
      const block = { uuid: blockId(name, index), class: name, range: range(text) };
      await done(createNetblock(block));
    }
  }
  return {
    service,
    clock,
    done,
    register: async (client, { wish, ...rest } = {}) => {
      const address = wish === undefined ? {} : { address: addressOf(wish) };
      const asked = { class: "lab", uuid: id(client), ...rest, ...address };
      return (await done(register(asked))).address;
    },
    [Symbol.asyncDispose]: () => service[Symbol.asyncDispose](),
  };
}

/** The uuid of the client of this number. */
export function id(n: number): Uuid {
  return present(parseUuid(`00000000-0000-4000-8000-${`${n}`.padStart(12, "0")}`), "a uuid");
}

/** The uuid of a class of this name. */
export function classId(name: string): Uuid {
  const code = Buffer.from(name.slice(0, 6)).toString("hex").padEnd(12, "0");
  return present(parseUuid(`c0000000-0000-4000-8000-${code}`), "a uuid");
}

/** The uuid of a netblock of a class, by its place in the list. */
export function blockId(name: string, index: number): Uuid {
  return present(parseUuid(`${index}${classId(name).slice(1)}`), "a uuid");
}

/** The range of a text that is one. */
export function range(text: string): Parameters<typeof changeNetblock>[1] {
  const parsed = parseRange(text);
  assert.ok(parsed.kind === "ok", text);
  return parsed.value;
}

/** The address of a text that is one. */
export function addressOf(text: string): NonNullable<RegisterWish["address"]> {
  return present(parseAddress(text), text);
}
