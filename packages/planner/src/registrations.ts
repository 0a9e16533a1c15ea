// Registrations of external pools over one planning: what was seen of them goes in before anything
// is given, what claims want and nobody has comes out after it. Pure: the uuids of new ones are
// made of the world's seed. A registration is stored before anybody is asked, and forgotten only
// once it was seen to be given back.

import {
  type AddressPool,
  type Finding,
  type IpamSights,
  type Plan,
  type Registration,
  type World,
  NO_SIGHTS,
  compareText,
  hashText,
  ipamLineId,
} from "@fairlead/model";

import { type Asking, type Want, createAsking, keyOf, wantKey } from "./asking.ts";
import { isOf, openPools } from "./external-pools.ts";

/** One planning's view of registrations. */
export interface OpenRegistrations {
  /** The world with what external pools were given, and with operators' intents alone. */
  readonly world: World;
  readonly asking: Asking;
  /** The plan with the registrations that come of it. */
  close(planned: Plan): Plan;
}

/** Begins. `before`: the pools of the planning before, so that those alike stay the same. */
export function openRegistrations(
  given: World,
  before: readonly AddressPool[] | undefined,
): OpenRegistrations {
  const sights = given.ipam ?? NO_SIGHTS;
  const stored = given.intents.filter(isRegistration);
  const isConcerned = stored.length > 0 || given.pools.some(({ external }) => external);
  const settled = stored.flatMap((one) => settle(one, sights, given.pools));
  const registrations = settled.filter(({ ending }) => ending !== true);
  const asking = createAsking(registrations, sights);
  if (!isConcerned) return { world: given, asking, close: (planned) => planned };
  const world: World = {
    ...given,
    intents: given.intents.filter((one) => !isRegistration(one)),
    pools: openPools(given.pools, { registrations, sights }, before),
  };
  return {
    world,
    asking,
    close: (planned) => {
      const next = goOn({ world, settled, asking, leases: planned.leases });
      return {
        ...planned,
        intents: [...planned.intents, ...next],
        findings: [...planned.findings, ...findTroubles(given.pools, { next, sights, planned })],
      };
    },
  };
}

function isRegistration(intent: World["intents"][number]): intent is Registration {
  return intent.kind === "register";
}

/** The registration by what was seen of it; none once it was given back. */
function settle(
  one: Registration,
  { registrations }: IpamSights,
  pools: readonly AddressPool[],
): readonly Registration[] {
  const sight = registrations.get(one.uuid);
  if (one.ending === true) return sight?.kind === "released" ? [] : [one];
  const { renewMs = one.renewMs } = pools.find((pool) => isOf(one, pool))?.external ?? {};
  const address = sight?.kind === "granted" ? sight.address : one.address;
  if (address === one.address && renewMs === one.renewMs) return [one];
  return [{ ...one, renewMs, ...(address === undefined ? {} : { address }) }];
}

interface GoOnOptions extends Pick<Plan, "leases"> {
  readonly world: World;
  readonly settled: readonly Registration[];
  readonly asking: Asking;
}

/** Registrations after everything was given: those of use go on, the others end, new ones begin. */
function goOn({ world, settled, asking, leases }: GoOnOptions): readonly Registration[] {
  const open = new Map<string, Want>(asking.wants().map((want) => [wantKey(want), want]));
  const next = settled.map((one): Registration => {
    const { address } = one;
    if (one.ending === true) return one;
    if (address !== undefined && (leases.has(address) || asking.isKept(address))) return one;
    return open.delete(keyOf(one)) ? one : { ...one, ending: true };
  });
  const begun = [...open.values()].map((want, index) => begin(world, want, index));
  return [...next, ...begun].sort((a, b) => compareText(a.id, b.id));
}

/** Digits of a time and of a place in line: ids sort as registrations were wanted. */
const TIME_DIGITS = 15;
const INDEX_DIGITS = 6;

function begin({ nowMs, settings }: World, want: Want, index: number): Registration {
  const { claim, pool, family, address } = want;
  const { url, class: of, renewMs } = pool.external;
  const seed = settings.registrationSeed ?? "";
  const uuid = uuidOf(`${seed} ${nowMs} ${index} ${wantKey(want)}`);
  const turn = `${pad(nowMs, TIME_DIGITS)}-${pad(index, INDEX_DIGITS)}`;
  return {
    id: `register-${turn}-${uuid}`,
    sinceMs: nowMs,
    kind: "register",
    uuid,
    pool: pool.name,
    url,
    class: of,
    renewMs,
    claim,
    family,
    ...(address === undefined ? {} : { wish: address }),
  };
}

function pad(value: number, digits: number): string {
  return String(Math.trunc(value)).padStart(digits, "0");
}

/** A uuid of version 4 by form; as unlikely to come twice as its seed is. */
function uuidOf(text: string): string {
  const hex = ["a", "b", "c", "d"]
    .map((part) => hashText(`${part} ${text}`).toString(16).padStart(8, "0"))
    .join("");
  const variant = "89ab".charAt(Number.parseInt(hex.charAt(16), 16) % 4);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20),
  ].join("-");
}

/** Registrations of which a finding names at most so many. */
const NAMED_MAX = 8;

function findTroubles(
  pools: readonly AddressPool[],
  options: {
    readonly next: readonly Registration[];
    readonly sights: IpamSights;
    readonly planned: Plan;
  },
): readonly Finding[] {
  const { next, sights, planned } = options;
  const findings: Finding[] = [];
  for (const { name, external } of pools.toSorted((a, b) => compareText(a.name, b.name))) {
    const about = { subject: "pool", name } as const;
    const trouble = external && sights.troubles.get(ipamLineId(name, external.url));
    if (trouble !== undefined) {
      const detail = `${external?.url} cannot be asked: ${trouble}; what it gave stays`;
      findings.push({ ...about, reason: "IpamUnreachable", detail });
    }
    const lost = next.flatMap(({ pool, uuid, address }) => {
      const sight = sights.registrations.get(uuid);
      if (pool !== name || sight?.kind !== "lost" || address === undefined) return [];
      return planned.leases.has(address) ? [`${address} (${sight.detail})`] : [];
    });
    if (lost.length === 0) continue;
    const more = lost.length > NAMED_MAX ? ` and ${lost.length - NAMED_MAX} more` : "";
    const detail = `its IPAM no longer gives it ${lost.slice(0, NAMED_MAX).join(", ")}${more}`;
    findings.push({ ...about, reason: "RegistrationLost", detail });
  }
  return findings;
}
