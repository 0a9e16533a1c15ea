// What is still wrong with a ring in which nothing fails any more: every host has to equal its
// plan, every address its one holder, the store exactly what is wanted. Pure but for reading the
// ring.

import {
  type Claim,
  claimTitle,
  familyOf,
  type Reason,
  type Resource,
  type Verdict,
  type VerdictState,
} from "@fairlead/model";

import { pathOf, splitTitle } from "../scenario/manifests.ts";
import { heldAddresses, type Ring } from "../scenario/ring.ts";
import type { RingAgent } from "../scenario/ring-agent.ts";

/** Reasons for which a claim may rightly be refused at the end. */
const RIGHTLY_REFUSED: ReadonlySet<Reason> = new Set([
  "AddressTaken",
  "SharingRefused",
  "AddressOutsidePools",
  "FamilyUnavailable",
  "NoPool",
  "UnknownPool",
  "PoolOverlap",
  "ConflictingWishes",
]);
/**
 * Reasons for which one may rightly wait at the end: for an address, or a port, of another one; and
 * one that has an address waits for whatever else it asks for that it cannot have.
 */
const RIGHTLY_WAITING: ReadonlySet<Reason> = new Set(["PoolExhausted", ...RIGHTLY_REFUSED]);
/** What may be said of one that is served. */
const RIGHTLY_SAID: ReadonlySet<Reason> = new Set([
  "NoMembers",
  "HeldOutside",
  // It asked for another address while it had one, and keeps what it has.
  "AddressTaken",
  "SharingRefused",
  "AddressOutsidePools",
  "PoolExhausted",
  "FamilyUnavailable",
  "NoPool",
  "UnknownPool",
  "PoolOverlap",
  "ConflictingWishes",
]);

const RIGHTLY: Readonly<Record<VerdictState, ReadonlySet<Reason>>> = {
  ready: RIGHTLY_SAID,
  pending: RIGHTLY_WAITING,
  refused: RIGHTLY_REFUSED,
};

/** The pool that is always there. */
const LAN: readonly string[] = Array.from({ length: 6 }, (_, at) => `192.0.2.${100 + at}`);

/** The pool of a day whose addresses are hosts' own. */
const HOST_POOL = "own";
/** The one of mode link. */
const LINK_POOL = "device";

/** Everything that is wrong, a sentence each; empty when the ring has settled. */
export function unsettled(ring: Ring): readonly string[] {
  const context = ring.controller.context();
  if (context?.view.plan === undefined) return ["the controller has no plan"];
  if (context.view.notReady !== undefined) return [context.view.notReady];
  // Half a minute later a second list decides, and things change once more.
  const isInDoubt = context.view.findings.some(({ reason }) => reason === "SourceEmptied");
  if (isInDoubt) return ["it is not known yet whether what the folder lacks is gone"];
  const agents = [...ring.agents.values()];
  return [
    ...agents.flatMap((agent) => {
      const { state, detail } = context.syncState(agent.name);
      return state === "in-sync" ? [] : [`${agent.name} is ${state}: ${detail}`];
    }),
    ...agents.flatMap(hostFaults),
    ...claimFaults(ring),
    ...verdictFaults(ring),
    ...holderFaults(ring),
    ...publishedFaults(ring),
    ...leaseFaults(ring),
    ...wishFaults(ring),
  ];
}

/**
 * The controller's plan is of the Services of the folder and of no others: one that waits for a
 * slow store says nothing yet of what was seen since.
 */
function claimFaults(ring: Ring): readonly string[] {
  const claims = [...(ring.controller.context()?.view.plan?.verdicts.keys() ?? [])];
  const known = claims.map((claim) => pathOf("Service", ...splitTitle(claimTitle(claim))));
  const there = ring.folder.paths().filter((path) => path.startsWith("service."));
  const [seen, wanted] = [known.toSorted().join(), there.toSorted().join()];
  return seen === wanted ? [] : [`the controller plans ${seen}; the folder has ${wanted}`];
}

/** A host has the listeners of its agent's plan, and no address beside it. */
function hostFaults({ name, host, converge }: RingAgent): readonly string[] {
  const plan = converge?.view().wanted;
  if (plan === undefined) return [`${name} has no plan`];
  const resources = [...plan.plan.resources.values()];
  const wanted = resources.flatMap(listenText).toSorted().join(", ");
  const lines = host.lines();
  const listens = lines
    .filter((line) => line.startsWith("listen "))
    .map((line) => line.slice("listen ".length))
    .toSorted()
    .join(", ");
  const vips = new Set(resources.flatMap((one) => (one.kind === "vip" ? [one.address] : [])));
  const beside = heldAddresses(lines).filter((text) => ![...vips].some((vip) => vip === text));
  return [
    ...(wanted === listens ? [] : [`${name} listens on ${listens}, its plan has ${wanted}`]),
    ...host.guard.unguarded.map((text) => `${name} had ${text} before it was guarded`),
    ...beside.map((text) => `${name} has ${text}, which is not in its plan`),
  ];
}

function listenText(resource: Resource): readonly string[] {
  if (resource.kind !== "listener") return [];
  const { address, port, protocol } = resource;
  const host = familyOf(address) === "ipv6" ? `[${address}]` : address;
  return [`${host}:${port}${protocol === "udp" ? " udp reuseport" : ""}`];
}

function verdictFaults(ring: Ring): readonly string[] {
  const { view } = ring.controller.context() ?? {};
  return [...(view?.plan?.verdicts.values() ?? [])].flatMap((verdict) => {
    const { claim: id, state, main } = verdict;
    const isRight = main === undefined ? state === "ready" : RIGHTLY[state].has(main.reason);
    const claim = view?.state.claims.get(id)?.value;
    const free = claim === undefined ? undefined : overlooked(ring, claim, verdict);
    return [
      ...(isRight ? [] : [`${claimTitle(id)} is ${state}: ${main?.reason} ${main?.detail}`]),
      ...(free === undefined
        ? []
        : [`${claimTitle(id)} waits for an address, and ${free} is free`]),
    ];
  });
}

/** An address of the pool that everybody may have, for one who has none and would take any. */
function overlooked(
  { medium }: Ring,
  claim: Claim,
  { main, addresses }: Verdict,
): string | undefined {
  const { policy, families } = claim.families;
  const takesAny = policy === "SingleStack" && families[0] !== "ipv6";
  const isNamed = claim.wishedPool !== undefined && claim.wishedPool !== "lan";
  if (main?.reason !== "PoolExhausted" || !takesAny || isNamed) return undefined;
  // One that hosts serve may lack an address of one host.
  if (addresses.length > 0) return undefined;
  const rows = [...medium.leases.values()];
  if (claim.wishedAddresses.length > 0) return undefined;
  return LAN.find((address) => !rows.some((row) => row.address === address));
}

/** Every address of a claim is on one host, and no other address is on any. */
function holderFaults(ring: Ring): readonly string[] {
  const verdicts = ring.controller.context()?.view.plan?.verdicts.values() ?? [];
  const wanted = new Set<string>();
  for (const { addresses } of verdicts) for (const { address } of addresses) wanted.add(address);
  const holders = new Map<string, string[]>();
  for (const { name, host } of ring.agents.values()) {
    for (const text of heldAddresses(host.lines())) {
      holders.set(text, [...(holders.get(text) ?? []), name]);
    }
  }
  const faults: string[] = [];
  for (const text of wanted) {
    const hosts = holders.get(text) ?? [];
    if (hosts.length !== 1) faults.push(`${text} is held by ${hosts.join(" and ") || "nobody"}`);
  }
  for (const [text, hosts] of holders) {
    if (!wanted.has(text)) faults.push(`${text} was left over on ${hosts.join(" and ")}`);
  }
  return faults;
}

/** What stands published is on a host, and is what the verdicts say. */
function publishedFaults(ring: Ring): readonly string[] {
  const held = new Set(
    [...ring.agents.values()].flatMap(({ host }) => heldAddresses(host.lines())),
  );
  const verdicts = ring.controller.context()?.view.plan?.verdicts;
  return [...(ring.controller.published?.verdicts.values() ?? [])].flatMap((said) => {
    const published = said.addresses.filter((one) => one.published);
    const now = verdicts?.get(said.claim)?.addresses.filter((one) => one.published) ?? [];
    const texts = [published, now].map((all) => all.map(({ address }) => address).join());
    const lost = published.filter(({ address }) => !held.has(address));
    return [
      ...lost.map(({ address }) => `${address} is published, and nobody has it`),
      ...(texts[0] === texts[1] ? [] : [`published is ${texts[0]}, and should be ${texts[1]}`]),
    ];
  });
}

/** What operators asked for is done: nothing waits, and who is drained holds nothing of others'. */
function wishFaults(ring: Ring): readonly string[] {
  const { view } = ring.controller.context() ?? {};
  const plan = view?.plan;
  if (view === undefined || plan === undefined) return [];
  const drained = new Set(plan.intents.flatMap((one) => (one.kind === "drain" ? [one.agent] : [])));
  const waiting = plan.intents.filter(({ kind }) => kind !== "drain");
  const lanes = [...plan.lanes.values()].flatMap(({ id, holder, order, yielding }) => {
    if (yielding !== undefined) return [`lane ${id} is to be given up by ${yielding[0]?.agent}`];
    if (holder !== order[0]) return [`${id} is held by ${holder}, its order is ${order.join()}`];
    const isLeft = holder !== undefined && drained.has(holder);
    const heirs = order.filter((agent) => !drained.has(agent));
    return isLeft && heirs.length > 0 ? [`${id} is held by ${holder}, which is drained`] : [];
  });
  return [...waiting.map(({ id }) => `${id} is still wanted`), ...lanes];
}

/** The store has the addresses of the claims, as many as each may have, and nothing that rests. */
function leaseFaults(ring: Ring): readonly string[] {
  const faults: string[] = [];
  const owned = new Map<string, string>();
  const claims = new Set<string>();
  // A move that its pool asked for ends where it was when the pool goes.
  const paths = ring.folder.paths();
  const isGone = (pool: string): boolean => !paths.includes(pathOf("AddressPool", "default", pool));
  const moved = new Set([HOST_POOL, LINK_POOL].filter(isGone));
  for (const row of ring.medium.leases.values()) {
    const { address, pool, state, owners, sharingKey, placement } = row;
    if (state.kind !== "held") faults.push(`${address} is ${state.kind}`);
    if (owners.length > 1 && sharingKey === undefined) faults.push(`${address} has two owners`);
    for (const { claim } of owners) {
      claims.add(claim);
      // One a family, and of a pool of mode host one of each agent.
      const agent = pool === HOST_POOL && placement.kind === "host" ? placement.agent : "";
      const key = `${claim} ${familyOf(address)} ${agent}`;
      const other = owned.get(key);
      if (other !== undefined && !moved.has(pool)) {
        faults.push(`${claimTitle(claim)} has ${other} and ${address}`);
      }
      owned.set(key, address);
    }
  }
  const verdicts = ring.controller.context()?.view.plan?.verdicts;
  const known = new Set<string>(verdicts?.keys());
  for (const claim of claims) {
    if (!known.has(claim)) faults.push(`${claim} is not wanted and has an address`);
  }
  return faults;
}
