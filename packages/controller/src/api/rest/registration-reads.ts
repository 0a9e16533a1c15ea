// Routes that read registrations: one by its uuid, whoever holds an address, and the dump of who
// has which address.

import { holderOf } from "../../ipam/answers.ts";
import type { Registration } from "../../ipam/ipam-model.ts";
import type { IpamService } from "../../ipam/ipam-service.ts";
import { type ClassState, type IpamState, findClass } from "../../ipam/ipam-state.ts";
import { noClass, noSuch, pathUuid, readNothing, showFound } from "./ipam-command.ts";
import { ofAddress, ofClass, showRegistration } from "./ipam-fields.ts";
import { readQuery } from "./read-fields.ts";
import type { Answered, RestRequest, Route } from "./route.ts";

/** The routes. */
export function registrationReads(service: IpamService): readonly Route[] {
  const show = (one: Registration): object => showRegistration(service, one);
  return [
    {
      method: "GET",
      path: "/ipam/v1/addresses",
      handle: (request) => dumpAddresses(service, request),
    },
    {
      method: "GET",
      path: "/ipam/v1/registrations",
      handle: (request) => findHolders(service, request),
    },
    {
      method: "GET",
      path: "/ipam/v1/registrations/:uuid",
      handle: (request) => {
        const fields = readNothing(request);
        const uuid = pathUuid(request);
        if (fields.kind === "problem") return fields;
        if (uuid.kind === "problem") return uuid;
        const found = service.view().registrations.get(uuid.value);
        const missing = noSuch("UnknownRegistration", `no registration has the uuid ${uuid.value}`);
        return showFound(found && show(found), missing);
      },
    },
  ];
}

/** Who has which address: an object from uuid to address, short enough for all of them. */
function dumpAddresses(service: IpamService, request: RestRequest): Answered {
  const query = readQuery(ofClass, request);
  if (query.kind === "problem") return query;
  const { class: reference } = query.value;
  const state = service.view();
  const only = reference === undefined ? undefined : findClass(state, reference);
  if (reference !== undefined && only === undefined) return noClass(reference);
  const addresses: Record<string, string> = {};
  for (const { uuid, class: of, address } of state.registrations.values()) {
    if (only === undefined || of === only.class.uuid) addresses[uuid] = address;
  }
  return { kind: "reply", status: 200, body: { addresses } };
}

/** Who holds an address, at most one in each class. */
function findHolders(service: IpamService, request: RestRequest): Answered {
  const query = readQuery(ofAddress, request);
  if (query.kind === "problem") return query;
  const { class: reference, address } = query.value;
  const state = service.view();
  const only = reference === undefined ? undefined : findClass(state, reference);
  if (reference !== undefined && only === undefined) return noClass(reference);
  const worlds = only === undefined ? [...state.classes.values()] : [only];
  const found = worlds.flatMap((world) => holderIn(state, world, address));
  const registrations = found.map((one) => showRegistration(service, one));
  return { kind: "reply", status: 200, body: { registrations } };
}

function holderIn(
  state: IpamState,
  { leases }: ClassState,
  address: Registration["address"],
): readonly Registration[] {
  const row = leases.get(address);
  const holder = row === undefined ? undefined : holderOf(state, row);
  const found = holder === undefined ? undefined : state.registrations.get(holder.uuid);
  return found === undefined ? [] : [found];
}
