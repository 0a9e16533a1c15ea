// What to do next, and in which order: members and listeners, then addresses, then removals.
// Pure: the wanted plan, what was applied and what the kernel has go in, ordered steps come out.
// A listener whose address is still here outlives it by a pass: nothing that points at it breaks.
// An address that this boot of the host never had is asked for before it is handed over.

import {
  type Address,
  type DeviceName,
  type LaneResource,
  type ListenerResource,
  type ResourceName,
  type VipResource,
  assert,
  compareAddress,
  compareBy,
  compareText,
} from "@fairlead/model";

import type { Applied, ServedListener } from "./applied.ts";
import { type ByAddress, byAddress, byPlace, placeOf } from "./by-address.ts";
import { type Attachment, attachmentOf, isAttached, isMarked } from "./attach.ts";
import { type GuardStep, guardSteps } from "./guard-steps.ts";
import { type Places, withPlace } from "./member-feed.ts";
import type { AcceptedPlan, KernelAddress, LedgerEntry, Question } from "./ports.ts";
import { servedListeners } from "./served-listeners.ts";
import { speakersOf } from "./speakers.ts";

/** One thing to do. Each carries the whole wanted state of its part: doing it twice is harmless. */
export type Step =
  | GuardStep
  /** The nginx for this protocol serves exactly these. */
  | {
      readonly kind: "serve";
      readonly protocol: ListenerResource["protocol"];
      readonly listeners: readonly ServedListener[];
    }
  /** The segment is asked who has these. Begun with the pass; what is answered is not held. */
  | { readonly kind: "ask"; readonly questions: readonly Question[] }
  /** The ledger names exactly these, before any of them can appear. */
  | { readonly kind: "record"; readonly entries: readonly LedgerEntry[] }
  /** keepalived carries exactly these. */
  | {
      readonly kind: "hold";
      readonly lanes: readonly LaneResource[];
      readonly vips: readonly VipResource[];
      /** Of the lanes, those whose VIPs have listeners over UDP. */
      readonly udpLanes: ReadonlySet<ResourceName>;
    }
  /** The agent itself has these on their devices. */
  | { readonly kind: "attach"; readonly attachments: readonly Attachment[] }
  /** The kernel loses these, which keepalived does not carry any more. */
  | { readonly kind: "sweep"; readonly addresses: readonly KernelAddress[] }
  /** The ledger names exactly these, after others are gone. */
  | { readonly kind: "forget"; readonly entries: readonly LedgerEntry[] };

/** What the steps are decided from. */
export interface StepInput {
  readonly wanted: AcceptedPlan;
  readonly applied: Applied;
  readonly addresses: readonly KernelAddress[];
  readonly ledger: readonly LedgerEntry[];
  /** Whether the wanted plan is on disk: until then the next start may bring the one before. */
  readonly isKept: boolean;
  /** Of listeners whose members stand in the kernel's table. Default: none. */
  readonly places?: Places;
}

/** The steps of one pass, in order, and whether another pass is needed after it. */
export interface StepList {
  readonly steps: readonly Step[];
  /** Everything that may be on the host while the steps run: what was, and what comes. */
  readonly touched: readonly LedgerEntry[];
  readonly again: boolean;
}

/** Decides the steps of one pass. */
export function decideSteps(input: StepInput): StepList {
  const parts = partsOf(input.wanted, input.places);
  const [here, places] = [byAddress(input.addresses), byPlace(input.addresses)];
  const foreign = foreignEntries(input, parts.vips, here);
  const isForeign = new Set(foreign.map((entry) => entry.address));
  const held = parts.vips.filter(({ address }) => !isForeign.has(address));
  const attachments = held.flatMap((vip) => attachmentOf(vip, places));
  const lingering = lingeringListeners(input, parts.listeners, here);
  const owned = ownEntries(parts, held);
  const known = new Set([...owned, ...foreign].map(placeOf));
  // Also those that the kernel has not: while keepalived's file names them, they may come any time.
  const { agent } = input.wanted.plan;
  const isRuled = (entry: LedgerEntry): boolean =>
    known.has(placeOf(entry)) || speakersOf(input.wanted).get(entry.address) === agent;
  const stale = input.ledger.filter((entry) => !entry.foreign && !isRuled(entry));
  const isStale = new Set(stale.map(placeOf));
  const sweep = input.addresses.filter((entry) => isStale.has(placeOf(entry)));
  const touched = sorted([...owned, ...foreign, ...stale]);
  const questions = questionsOf(input, parts, held, here);
  const listeners = [...parts.listeners, ...lingering].sort(byListener);
  const kept = input.isKept ? owned : touched;
  // A lane that is only listened to has to be heard.
  const lanes = [...parts.lanes, ...parts.listened];
  const guard = guardSteps({ ...input, agent, listeners, lanes, touched, kept });
  return {
    touched,
    steps: [
      ...guard.closing,
      ...serveSteps(input.applied, listeners),
      guard.opening,
      ...(questions.length > 0 ? [{ kind: "ask" as const, questions }] : []),
      { kind: "record", entries: touched },
      {
        kind: "hold",
        lanes: parts.lanes,
        vips: held.filter(isCarried),
        udpLanes: udpLanesOf(parts),
      },
      ...(attachments.length > 0 || input.applied.attached.size > 0
        ? [{ kind: "attach" as const, attachments }]
        : []),
      ...(sweep.length > 0 ? [{ kind: "sweep" as const, addresses: sweep }] : []),
      ...(stale.length > 0 && input.isKept
        ? [{ kind: "forget" as const, entries: sorted([...owned, ...foreign]) }]
        : []),
      guard.ending,
    ],
    again: lingering.length > 0,
  };
}

/** Whether the steps have to do with the nginx for UDP. */
export function isServingUdp(steps: readonly Step[]): boolean {
  return steps.some((step) => step.kind === "serve" && step.protocol === "udp");
}

/**
 * The one for UDP ends when there is nothing for it. An agent before this one may have left it, so
 * that it counts as running until it was ended once.
 */
function serveSteps(applied: Applied, listeners: readonly ServedListener[]): readonly Step[] {
  const of = (protocol: ListenerResource["protocol"]): Extract<Step, { kind: "serve" }> => ({
    kind: "serve",
    protocol,
    listeners: listeners.filter(({ listener }) => listener.protocol === protocol),
  });
  const udp = of("udp");
  return udp.listeners.length > 0 || !applied.udpEnded ? [of("tcp"), udp] : [of("tcp")];
}

/**
 * The ledger's entries for everything that a plan has in lanes, as our own. What it has on a device
 * may be the host's own address: that is known by its label, or stays.
 */
export function ledgerOfPlan(wanted: AcceptedPlan): readonly LedgerEntry[] {
  const parts = partsOf(wanted);
  return ownEntries(parts, parts.vips.filter(isCarried));
}

function udpLanesOf({ listeners, vips }: Parts): ReadonlySet<ResourceName> {
  const udp = listeners.filter(({ listener }) => listener.protocol === "udp");
  const addresses = new Set(udp.map(({ listener }) => listener.address));
  return new Set(
    vips.flatMap(({ address, carrier }) =>
      carrier.kind === "lane" && addresses.has(address) ? carrier.resource : [],
    ),
  );
}

function isCarried({ carrier }: VipResource): boolean {
  return carrier.kind === "lane";
}

interface Parts {
  readonly listeners: readonly ServedListener[];
  readonly lanes: readonly LaneResource[];
  /** Those that this host does not run. */
  readonly listened: readonly LaneResource[];
  readonly vips: readonly VipResource[];
}

function partsOf(wanted: AcceptedPlan, places: Places = new Map()): Parts {
  const lanes: LaneResource[] = [];
  const listened: LaneResource[] = [];
  const vips: VipResource[] = [];
  for (const resource of wanted.plan.resources.values()) {
    if (resource.kind === "lane") (resource.listens === true ? listened : lanes).push(resource);
    if (resource.kind !== "vip" || isListenedTo(wanted, resource)) continue;
    // Nobody holds what is an agent's own.
    if (!speakersOf(wanted).has(resource.address)) vips.push(resource);
  }
  return {
    listeners: servedListeners(wanted).map((one) => withPlace(one, places)),
    listened,
    lanes: lanes.sort((a, b) => compareText(a.name, b.name)),
    vips: vips.sort((a, b) => compareAddress(a.address, b.address)),
  };
}

/** A plan on its way from one to another may have a VIP in a lane that is only listened to. */
function isListenedTo({ plan }: AcceptedPlan, { carrier }: VipResource): boolean {
  const lane = carrier.kind === "lane" ? plan.resources.get(carrier.resource) : undefined;
  return lane?.kind === "lane" && lane.listens === true;
}

/** Listeners of addresses that leave with this pass: they go when the address has gone. */
function lingeringListeners(
  input: StepInput,
  wanted: readonly ServedListener[],
  present: ByAddress,
): readonly ServedListener[] {
  const names = new Set<ResourceName>(wanted.map((entry) => entry.listener.name));
  const addresses = new Set<Address>();
  for (const resource of input.wanted.plan.resources.values()) {
    if (resource.kind === "vip") addresses.add(resource.address);
  }
  // Of no other address can this host ever be rid, so its listener would stay for ever.
  const ours = new Set(
    input.ledger.filter((entry) => !entry.foreign).map((entry) => entry.address),
  );
  return [...input.applied.listeners.values()].filter(
    ({ listener }) =>
      ours.has(listener.address) &&
      !names.has(listener.name) &&
      !addresses.has(listener.address) &&
      (present.has(listener.address) || input.applied.vips.has(listener.address)),
  );
}

/** Wanted addresses that the host had before us: used as they are, and never removed. */
function foreignEntries(
  input: StepInput,
  vips: readonly VipResource[],
  present: ByAddress,
): readonly LedgerEntry[] {
  const known = new Map(input.ledger.map((entry) => [entry.address, entry]));
  return vips.flatMap((vip) => {
    const here = present.get(vip.address);
    const before = known.get(vip.address);
    if (here === undefined || before?.foreign === false) return [];
    if (isAttached(vip) && isMarked(here)) return [];
    return [{ address: vip.address, link: here.link, foreign: true }];
  });
}

function ownEntries(parts: Parts, held: readonly VipResource[]): readonly LedgerEntry[] {
  const lanes = new Map(parts.lanes.map((lane) => [lane.name, lane]));
  return held.flatMap((vip): LedgerEntry[] => {
    const entry = { address: vip.address, link: linkOf(vip, lanes), foreign: false };
    if (vip.carrier.kind === "lane") return [entry];
    return vip.carrier.adopts ? [] : [{ ...entry, added: true }];
  });
}

function linkOf(
  { carrier }: VipResource,
  lanes: ReadonlyMap<ResourceName, LaneResource>,
): DeviceName {
  const link = carrier.kind === "link" ? carrier.link : lanes.get(carrier.resource)?.link;
  assert(link !== undefined, "an accepted plan names no missing lane");
  return link;
}

/**
 * Addresses that come to this host for the first time, or for the first time since it booted: a
 * stranger may have them. What it has, or was found silent before, is not asked for again, but for
 * what is on a device and not in the ledger: a stranger's may not have been taken away.
 */
function questionsOf(
  { wanted, ledger, applied }: StepInput,
  parts: Parts,
  held: readonly VipResource[],
  present: ByAddress,
): readonly Question[] {
  const lanes = new Map(parts.lanes.map((lane) => [lane.name, lane]));
  const asked = new Set(ledger.filter((entry) => !entry.foreign).map(({ address }) => address));
  return held
    .filter((vip) => isCarried(vip) || isAttached(vip))
    .filter((vip) => {
      const { address } = vip;
      const isNew = !asked.has(address) && (isAttached(vip) || !present.has(address));
      return isNew || applied.unasked.has(address);
    })
    .map((vip) => {
      const { carrier, address } = vip;
      const order = carrier.kind === "lane" ? (lanes.get(carrier.resource)?.order ?? []) : [];
      const others = order.filter(({ agent }) => agent !== wanted.plan.agent);
      return { address, link: linkOf(vip, lanes), peers: others.map((peer) => peer.address) };
    });
}

function sorted(entries: readonly LedgerEntry[]): readonly LedgerEntry[] {
  return entries.toSorted((a, b) => compareAddress(a.address, b.address));
}

const byListener: (a: ServedListener, b: ServedListener) => number = compareBy(
  (a, b) => compareAddress(a.listener.address, b.listener.address),
  (a, b) => compareText(a.listener.protocol, b.listener.protocol),
  (a, b) => a.listener.port - b.listener.port,
);
