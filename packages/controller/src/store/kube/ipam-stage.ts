// An IPAM service over its store in a cluster, for tests alone: it has one class with one netblock,
// and who looks finds all that is durable. Given how an API server is reached.

import assert from "node:assert/strict";

import {
  type AddressRange,
  parseAddress,
  parseClaimId,
  parsePoolName,
  parseRange,
  present,
} from "@fairlead/model";
import { type Clock, createFakeClock, createLogger, createSystemClock } from "@fairlead/runtime";

import { createClass } from "../../ipam/class-commands.ts";
import { type IpamChange, parseUuid, type Uuid } from "../../ipam/ipam-model.ts";
import { createIpamService, type IpamService } from "../../ipam/ipam-service.ts";
import { openState } from "../../ipam/ipam-state.ts";
import { createNetblock } from "../../ipam/netblock-commands.ts";
import { register } from "../../ipam/register.ts";
import {
  createKubeClient,
  type KubeAccess,
  type KubeClient,
  type KubeRequest,
} from "../../kube/kube-client.ts";
import { ipamKeys } from "../ipam-row-keys.ts";
import { createKubeIpamStore } from "./kube-ipam-store.ts";
import { type LoadedIpam, loadIpam } from "./load-ipam.ts";

const clock = createSystemClock();
const KEYS = ipamKeys("");
const BLOCK = uuidOf("b", 1);
const RANGE = rangeOf("10.0.0.0/19");

/** The class of every registration here. */
export const LAB: Uuid = uuidOf("a", 1);

/** More registrations than the journal takes at once. */
export const MANY: readonly Uuid[] = Array.from({ length: 5500 }, (_, i) => uuidOf("d", i));
/** The first of many. */
export const FIRST: Uuid = uuidOf("d", 0);
/** The second of many. */
export const SECOND: Uuid = uuidOf("d", 1);
/** The third of many. */
export const THIRD: Uuid = uuidOf("d", 2);

/** An API server, as a client needs it. */
export interface IpamPlace {
  readonly access: KubeAccess;
}

/** A service, with what only a test asks it. */
export interface Served extends IpamService {
  /** Resolves when objects show all that is durable. */
  shown(): Promise<void>;
}

/** A service with a class and a netblock, which are made where they are missing. */
export async function serve(
  place: IpamPlace,
  options: { readonly client?: KubeClient; readonly clock?: Clock } = {},
): Promise<Served> {
  const fake = createFakeClock();
  const own = options.clock ?? fake;
  const store = createKubeIpamStore({ client: options.client ?? clientOf(place), clock: own });
  const log = createLogger({ level: "silent", format: "json" });
  await using stack = new AsyncDisposableStack();
  stack.use(store);
  const times = { leaseMs: 600_000, graceMs: 600_000 };
  const service = await createIpamService({ store, clock: own, log, ...times });
  stack.use(service);
  await service.run(createClass({ uuid: LAB, name: "lab" }));
  await service.run(createNetblock({ uuid: BLOCK, class: "lab", range: RANGE }));
  const ending = stack.move();
  return {
    view: () => service.view(),
    run: (command) => service.run(command),
    timesOf: (registration) => service.timesOf(registration),
    shown: async () => {
      for (let tries = 0; tries < 1000; tries += 1) {
        await fake.advance(WAITING_MS_MAX);
        if (isShown(await loadIpam(clientOf(place), KEYS))) return;
        await clock.sleep(5);
      }
      assert.fail("objects do not show what is durable");
    },
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** Objects follow the journal within this, in ms. */
const WAITING_MS_MAX = 10_000;

function isShown({ changes, shards }: LoadedIpam): boolean {
  const rows = new Map(shards.flatMap((shard) => [...shard.rows]));
  return changes.every(({ key, value }) => rows.get(key) === value);
}

/** Registers, or asks again; resolves with the address. */
export async function addressOf(service: IpamService, uuid: Uuid): Promise<string> {
  const answer = await service.run(register({ class: "lab", uuid }));
  assert.ok(answer.kind === "done");
  return answer.value.address;
}

/**
 * All that a controller would find now, without taking it. Every registration holds its address by
 * both rows, and nothing is held by nobody.
 */
export async function wholeIn(
  place: IpamPlace,
): Promise<LoadedIpam & { readonly held: Map<Uuid, string> }> {
  const loaded = await loadIpam(clientOf(place), KEYS);
  const { registrations, addresses } = loaded.stored;
  openState(loaded.stored);
  const owners = new Map(
    addresses.map(({ lease }) => [lease.address, lease.owners.map(({ uid }) => uid)]),
  );
  for (const { uuid, address } of registrations) assert.deepEqual(owners.get(address), [uuid]);
  const taken = [...owners.values()].filter((uids) => uids.length > 0);
  assert.equal(taken.length, registrations.length);
  const held = new Map(registrations.map(({ uuid, address }) => [uuid, address as string]));
  return { ...loaded, held };
}

/** Changes that make the class and its netblock. */
export function classAndBlock(): readonly IpamChange[] {
  const times = { createdMs: 1, modifiedMs: 1 };
  return [
    { kind: "put-class", class: { uuid: LAB, name: "lab", ...times } },
    { kind: "put-netblock", netblock: { uuid: BLOCK, class: LAB, range: RANGE, ...times } },
  ];
}

/** A registration of the address of that number, by both of its rows. */
export function registered(uuid: Uuid, index: number, owner?: string): readonly IpamChange[] {
  const claim = present(parseClaimId(`registration/ipam/${uuid}`), "a claim's id");
  const address = present(parseAddress(`10.0.${index >> 8}.${index & 255}`), "an address");
  const lease = {
    address,
    pool: present(parsePoolName(BLOCK), "a pool"),
    owners: [{ claim, uid: uuid, ports: [] }],
    lastClaim: claim,
    placement: { kind: "unplaced" },
    sentTo: [],
    state: { kind: "held" },
    published: false,
    sinceMs: 1,
  } as const;
  const own = owner === undefined ? {} : { owner };
  const registration = { uuid, class: LAB, address, ...own, createdMs: 1, renewedMs: 1 };
  return [
    { kind: "put-address", class: LAB, lease },
    { kind: "put-registration", registration },
  ];
}

/** A client of the API server. */
export function clientOf(place: IpamPlace): KubeClient {
  return createKubeClient({ access: place.access, clock, userAgent: "test" });
}

/** The client with something that comes before each request. */
export function withBefore(
  client: KubeClient,
  before: (request: KubeRequest) => void | Promise<void>,
): KubeClient {
  return {
    ...client,
    request: async (request, signal) => {
      await before(request);
      return await client.request(request, signal);
    },
  };
}

function uuidOf(first: string, index: number): Uuid {
  const last = index.toString(16).padStart(12, "0");
  return present(parseUuid(`${first}0000000-0000-4000-8000-${last}`), "a uuid");
}

function rangeOf(text: string): AddressRange {
  const parsed = parseRange(text);
  assert.ok(parsed.kind === "ok");
  return parsed.value;
}
