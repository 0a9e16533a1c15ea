// The link that an agent has: to the controllers that its settings name, or to none. Without any it
// serves the plan on its disk for ever; as the flag may just have been forgotten, it says so.

import type { ControllerLink } from "../ports.ts";
import { type ControllerLinkOptions, createControllerLink } from "./controller-link.ts";

/** What the link is made of; `addresses` is empty where no controller is named. */
export interface AgentLinkOptions extends Omit<ControllerLinkOptions, "credentials"> {
  /** Whether there is a plan on the disk. */
  readonly hasPlan: boolean;
}

/** Makes the link; nothing is connected before it is started. */
export function createAgentLink({ hasPlan, ...options }: AgentLinkOptions): ControllerLink {
  if (options.addresses.length > 0) {
    return createControllerLink({ ...options, credentials: { kind: "insecure" } });
  }
  const served = hasPlan ? "the last good plan is served for ever" : "nothing is served";
  options.log.warn({}, `no controller is named: ${served}; name one by --controller HOST:PORT`);
  return NO_CONTROLLER;
}

const NO_CONTROLLER: ControllerLink = {
  connected: false,
  start: () => undefined,
  report: () => undefined,
  hurry: () => undefined,
  leave: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
