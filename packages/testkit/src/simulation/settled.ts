// What is still wrong with a ring in which nothing fails any more: every host has to equal its
// plan, every address its one holder, the store exactly what is wanted. Pure but for reading the
// ring.

import { claimTitle, type Reason, type Resource, type VerdictState } from "@fairlead/model";

import { pathOf, splitTitle } from "../scenario/manifests.ts";
import { heldAddresses, type Ring } from "../scenario/ring.ts";
import type { RingAgent } from "../scenario/ring-agent.ts";

/** Reasons for which a claim may rightly be refused at the end. */
const RIGHTLY_REFUSED: ReadonlySet<Reason> = new Set([
  "AddressTaken",
  "SharingRefused",
  "AddressOutsidePools",
]);
/** Reasons for which one may rightly wait at the end: for an address, or a port, of another one. */
const RIGHTLY_WAITING: ReadonlySet<Reason> = new Set(["PoolExhausted", "SharingRefused"]);
/** What may be said of one that is served. */
const RIGHTLY_SAID: ReadonlySet<Reason> = new Set([
  "NoMembers",
  "HeldOutside",
  // It asked for another address while it had one, and keeps what it has.
  "AddressTaken",
  "SharingRefused",
  "AddressOutsidePools",
]);

const RIGHTLY: Readonly<Record<VerdictState, ReadonlySet<Reason>>> = {
  ready: RIGHTLY_SAID,
  pending: RIGHTLY_WAITING,
  refused: RIGHTLY_REFUSED,
};

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
  return [`${address}:${port}${protocol === "udp" ? " udp reuseport" : ""}`];
}

function verdictFaults(ring: Ring): readonly string[] {
  const { view } = ring.controller.context() ?? {};
  return [...(view?.plan?.verdicts.values() ?? [])].flatMap(({ claim, state, main }) => {
    const isRight = main === undefined ? state === "ready" : RIGHTLY[state].has(main.reason);
    return isRight ? [] : [`${claimTitle(claim)} is ${state}: ${main?.reason} ${main?.detail}`];
  });
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

/** The store has the addresses of the claims, each claim one, and nothing that rests or waits. */
function leaseFaults(ring: Ring): readonly string[] {
  const faults: string[] = [];
  const owned = new Map<string, string>();
  for (const { address, state, owners, sharingKey } of ring.medium.leases.values()) {
    if (state.kind !== "held") faults.push(`${address} is ${state.kind}`);
    if (owners.length > 1 && sharingKey === undefined) faults.push(`${address} has two owners`);
    for (const { claim } of owners) {
      const other = owned.get(claim);
      if (other !== undefined) faults.push(`${claimTitle(claim)} has ${other} and ${address}`);
      owned.set(claim, address);
    }
  }
  for (const claim of owned.keys()) {
    const verdicts = ring.controller.context()?.view.plan?.verdicts;
    if (![...(verdicts?.keys() ?? [])].some((id) => id === claim)) {
      faults.push(`${claim} is not wanted and has ${owned.get(claim)}`);
    }
  }
  return faults;
}
