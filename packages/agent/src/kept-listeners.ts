// The listeners of one plan after another, with their members, by name. Given accepted plans, which
// share what did not change: only what differs from the plan before is read, so that one member
// that comes costs the same among ten listeners and among ten thousand.

import {
  type ListenerResource,
  type Resource,
  type ResourceName,
  changedKeys,
  patchMap,
} from "@fairlead/model";

import type { ServedListener } from "./applied.ts";
import type { AcceptedPlan } from "./ports.ts";
import { servedListener } from "./served-listeners.ts";

/** Listeners by their names; where their members stand is not decided here. */
export type Listeners = ReadonlyMap<ResourceName, ServedListener>;

/** Makes a reader. It gives the same map for a plan in which no listener or member differs. */
export function createKeptListeners(): (wanted: AcceptedPlan) => Listeners {
  const kept = new Kept();
  return (wanted) => kept.read(wanted);
}

type Resources = ReadonlyMap<ResourceName, Resource>;

class Kept {
  #resources: Resources = new Map();
  #listeners: Listeners = new Map();
  /** Names of the listeners of each member set. */
  readonly #users = new Map<ResourceName, readonly ResourceName[]>();

  read(wanted: AcceptedPlan): Listeners {
    const { resources } = wanted.plan;
    const before = this.#resources;
    const names = new Set<ResourceName>();
    const changed = changedKeys(before, resources);
    for (const name of changed) {
      if (this.#note(before.get(name), resources.get(name))) names.add(name);
    }
    // A set may have a listener that came with it, so users are asked when all are known.
    for (const name of changed) for (const user of this.#users.get(name) ?? []) names.add(user);
    const changes = new Map<ResourceName, ServedListener | undefined>();
    for (const name of names) {
      const listener = resources.get(name);
      const isThere = listener?.kind === "listener";
      changes.set(name, isThere ? servedListener(wanted, listener) : undefined);
    }
    this.#resources = resources;
    this.#listeners = patchMap(this.#listeners, changes);
    return this.#listeners;
  }

  /** Keeps account of who uses which member set. @returns whether the resource is a listener. */
  #note(before: Resource | undefined, after: Resource | undefined): boolean {
    if (before?.kind === "listener") this.#forgetUser(before);
    if (after?.kind === "listener") {
      this.#users.set(after.members, [...(this.#users.get(after.members) ?? []), after.name]);
    }
    return before?.kind === "listener" || after?.kind === "listener";
  }

  #forgetUser({ members, name }: ListenerResource): void {
    const left = (this.#users.get(members) ?? []).filter((user) => user !== name);
    if (left.length > 0) this.#users.set(members, left);
    else this.#users.delete(members);
  }
}
