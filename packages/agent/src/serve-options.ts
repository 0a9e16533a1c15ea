// What serving listeners needs of its host, what it begins with, and what comes of it. Types
// alone; one instance of nginx serves the listeners of one protocol.

import type { ListenerResource, Remark, ResourceName } from "@fairlead/model";

import type { Problem, ServedListener } from "./applied.ts";
import type { NginxDaemon, PortProbe } from "./ports.ts";
import type { RefusedListeners } from "./refused-listeners.ts";
import type { Undecided } from "./undecided.ts";

/** What serving needs. */
export interface ServeOptions {
  /** The instance for TCP. */
  readonly nginx: NginxDaemon;
  /** The instance for UDP; it runs only while something is served there. */
  readonly nginxUdp: NginxDaemon;
  readonly portProbe: PortProbe;
  /** The file of the instance for one protocol. */
  readonly renderNginx: (
    listeners: readonly ServedListener[],
    generation: string,
    protocol: Protocol,
  ) => string;
  /** Wishes of a listener that this daemon does not do; it serves without them. */
  readonly nginxRefusals: (listener: ListenerResource) => readonly Remark[];
  /** Id of the generation that serves exactly these: equal for equal content. */
  readonly generationOf: (listeners: readonly ServedListener[]) => string;
}

/** Of a listener. */
export type Protocol = ListenerResource["protocol"];

/** What serving with the one instance `nginx` needs, with monotonic ms. */
export type ServeHere = ServeOptions & {
  readonly nowMs: () => number;
  readonly protocol: Protocol;
};

/** What the instance of one protocol served before. */
export interface ServedBefore {
  readonly listeners: ReadonlyMap<ResourceName, ServedListener>;
  readonly generation: string | undefined;
  readonly undecided: Undecided | undefined;
  readonly refused: RefusedListeners;
}

/** What is served after the step. */
export interface ServeResult {
  /** Of this protocol and of the other one. */
  readonly listeners: ReadonlyMap<ResourceName, ServedListener>;
  /** Of this protocol. */
  readonly generation: string | undefined;
  /** The instance of this protocol was ended, as nothing is to be served. */
  readonly ended?: true;
  readonly problems: ReadonlyMap<ResourceName, Problem>;
  /** What nginx had no time for. */
  readonly undecided: Undecided | undefined;
  /** What nginx refused by itself, now or before, in the content in which it is wanted. */
  readonly refused: RefusedListeners;
  /** Whether each is served or refused for good; else a pass is to follow without a new plan. */
  readonly isDone: boolean;
  readonly reloads: number;
  /** How long the longest reload took that came to something, in ms; 0 without any. */
  readonly reloadMs: number;
}
