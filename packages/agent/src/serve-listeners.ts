// Hands the listeners to nginx: what is taken by others is left out and named first; what the
// daemon then refuses is found by halving, so that one bad listener never keeps the others from
// being served. What was served before and is refused now stays as it was. Where the daemon does
// not decide in its time, that is nobody's fault: all stays as it was, and nothing more is tried.

import type { ResourceName } from "@fairlead/model";

import type { Applied, Problem, ServedListener } from "./applied.ts";
import { placeOf } from "./listen-place.ts";
import type { NginxDaemon } from "./ports.ts";
import { type AnsweringGeneration, restoreServed } from "./restore-served.ts";
import { attemptToServe } from "./serve-attempts.ts";
import type { ServedBefore, ServeHere, ServeOptions, ServeResult } from "./serve-options.ts";
import type { Step } from "./steps.ts";

/** Of an instance that has nothing to serve. */
const ENDED = {
  generation: undefined,
  problems: new Map<ResourceName, Problem>(),
  undecided: undefined,
  refused: new Map(),
  isDone: true,
  reloads: 0,
  reloadMs: 0,
  ended: true,
} as const;

/** Makes the nginx of a protocol serve `wanted`, as far as it can be had. */
export async function serveListeners(
  options: ServeOptions & Pick<ServeHere, "nowMs">,
  { protocol, listeners: wanted }: Extract<Step, { kind: "serve" }>,
  applied: Applied,
): Promise<ServeResult> {
  const nginx = protocol === "udp" ? options.nginxUdp : options.nginx;
  const listeners = [...applied.listeners];
  const others = listeners.filter(([, { listener }]) => listener.protocol !== protocol);
  if (protocol === "udp" && wanted.length === 0) {
    await nginx.end();
    return { ...ENDED, listeners: new Map(others) };
  }
  const generation = protocol === "udp" ? applied.udpGeneration : applied.generation;
  const own = listeners.filter(([, { listener }]) => listener.protocol === protocol);
  const slow = applied.undecided.get(protocol);
  const refused = applied.refused.get(protocol) ?? new Map();
  const before = { listeners: new Map(own), generation, undecided: slow, refused };
  const served = await serveHere({ ...options, nginx, protocol }, wanted, before);
  return { ...served, listeners: new Map([...others, ...served.listeners]) };
}

async function serveHere(
  options: ServeHere,
  wanted: readonly ServedListener[],
  remembered: ServedBefore,
): Promise<ServeResult> {
  const { nginx } = options;
  const problems = new Map<ResourceName, Problem>();
  const offered: ServedListener[] = [];
  const answering = await answeringNow(nginx, remembered);
  const before = restored(options, wanted, remembered, answering);
  // A port is tried only where nginx of ours cannot be the one that has it already.
  const isListening = ({ listener }: ServedListener): boolean =>
    answering !== undefined &&
    (before.listeners.has(listener.name) || answering.places.has(placeOf(listener)));
  for (const entry of wanted) {
    const taken = isListening(entry) ? undefined : await options.portProbe.probe(entry.listener);
    const remark = taken ?? options.nginxRefusals(entry.listener)[0];
    if (taken === undefined) offered.push(entry);
    if (remark === undefined) continue;
    problems.set(entry.listener.name, { ...remark, revision: entry.revision });
  }
  // One that miscounts is handed over again, and has to rest as any other.
  const isMiscounting =
    before.undecided !== undefined && (await nginx.generationsAlive()).some((one) => one.miscounts);
  const inForce = isMiscounting ? undefined : answering?.id;
  const isStart = answering === undefined;
  const attempts = { ...options, isListening, inForce, isStart, problems };
  const served = await attemptToServe(attempts, before, offered);
  // Who may bind a port now, the next pass finds out: it costs nginx nothing.
  return { ...served, isDone: served.isDone && offered.length === wanted.length };
}

/**
 * The generation that answers, or has workers that have no time to: its ports are its own all the
 * same. One that should and has none is stopped first: it may be starting again and again because
 * somebody took a port of it, and holds the others.
 */
export async function answeringNow(
  nginx: NginxDaemon,
  before: Pick<ServedBefore, "generation">,
): Promise<AnsweringGeneration | undefined> {
  const id = await nginx.generation();
  const isFirstPass = before.generation === undefined;
  const alive = id === undefined ? await nginx.generationsAlive() : [];
  if (id !== undefined || alive.some(({ isServing }) => isServing)) {
    return { id, places: isFirstPass ? await nginx.places() : new Set() };
  }
  if (!isFirstPass && alive.length === 0) await nginx.stop();
  return undefined;
}

/** An agent that has just started serves what the one before it served. */
function restored(
  { generationOf }: ServeHere,
  wanted: readonly ServedListener[],
  before: ServedBefore,
  answering: AnsweringGeneration | undefined,
): ServedBefore {
  if (before.generation !== undefined) return before;
  const nothing = { ...before, listeners: new Map() };
  if (answering === undefined) return nothing;
  const listeners = restoreServed(wanted, answering, generationOf);
  return listeners.size === 0 ? nothing : { ...before, listeners, generation: answering.id };
}
