// Commands on classes. Each is a pure function of a state. A class that anything is in is never
// taken away.

import { patchMap } from "@fairlead/model";

import { refuse, unchanged, unknownClass } from "./answers.ts";
import type { IpamClass } from "./ipam-model.ts";
import type { Refusal } from "./ipam-refusal.ts";
import {
  type ClassState,
  type Command,
  type IpamState,
  type Outcome,
  findClass,
  withClass,
} from "./ipam-state.ts";

/** Classes at most. */
const CLASSES_MAX = 1000;

/** Makes a class. The same uuid and name again find it there. */
export function createClass(wanted: Pick<IpamClass, "uuid" | "name">): Command<IpamClass> {
  const { uuid, name } = wanted;
  return (state, { nowMs }) => {
    const there = state.classes.get(uuid)?.class;
    if (there?.name === name) return unchanged(state, there);
    if (there !== undefined) {
      return refuse("UuidTaken", `${uuid} is class ${there.name}`, { uuid });
    }
    const namesake = findClass(state, name)?.class;
    if (namesake !== undefined) return nameTaken(namesake);
    if (state.classes.size >= CLASSES_MAX) {
      return refuse("LimitReached", `there are ${CLASSES_MAX} classes`);
    }
    const made = { uuid, name, createdMs: nowMs, modifiedMs: nowMs };
    const world = { class: made, netblocks: [], pools: [], claims: NONE, leases: NO_LEASES };
    return putClass(state, world, true);
  };
}

/** Gives a class another name. `reference`: its uuid or its name now. */
export function renameClass(reference: string, name: string): Command<IpamClass> {
  return (state, { nowMs }) => {
    const world = findClass(state, reference);
    if (world === undefined) return unknownClass(reference);
    if (world.class.name === name) return unchanged(state, world.class);
    const namesake = findClass(state, name)?.class;
    if (namesake !== undefined) return nameTaken(namesake);
    return putClass(state, { ...world, class: { ...world.class, name, modifiedMs: nowMs } }, false);
  };
}

/** Takes a class away that nothing is in. */
export function deleteClass(reference: string): Command<undefined> {
  return (state) => {
    const world = findClass(state, reference);
    if (world === undefined) return unknownClass(reference);
    const { class: one, netblocks, claims, leases } = world;
    if (netblocks.length > 0 || claims.size > 0) {
      const why = `class ${one.name} has ${netblocks.length} netblocks, ${claims.size} registrations`;
      return refuse("ClassInUse", why);
    }
    const resting = [...leases.keys()].map((address) => {
      return { kind: "delete-address", class: one.uuid, address } as const;
    });
    return {
      kind: "done",
      state: { ...state, classes: patchMap(state.classes, new Map([[one.uuid, undefined]])) },
      changes: [...resting, { kind: "delete-class", uuid: one.uuid }],
      value: undefined,
      isNew: false,
    };
  };
}

const NONE: ClassState["claims"] = new Map();
const NO_LEASES: ClassState["leases"] = new Map();

function nameTaken({ uuid, name }: IpamClass): Refusal {
  return refuse("NameTaken", `class ${uuid} is called ${name}`, { uuid });
}

function putClass(state: IpamState, world: ClassState, isNew: boolean): Outcome<IpamClass> {
  const { class: value } = world;
  const changes = [{ kind: "put-class", class: value }] as const;
  return { kind: "done", state: withClass(state, world), changes, value, isNew };
}
