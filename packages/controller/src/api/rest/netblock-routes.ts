// Routes of netblocks: list, create, read, give another range, delete. Given the service; they
// decide nothing of what may be done.

import type { Netblock } from "../../ipam/ipam-model.ts";
import type { IpamService } from "../../ipam/ipam-service.ts";
import { findClass } from "../../ipam/ipam-state.ts";
import { changeNetblock, createNetblock, deleteNetblock } from "../../ipam/netblock-commands.ts";
import { countHeld } from "../../ipam/netblock-use.ts";
import {
  type IpamRoutesOptions,
  noClass,
  noSuch,
  pathUuid,
  readNothing,
  runCommand,
  runRemoval,
  showFound,
} from "./ipam-command.ts";
import { changedNetblock, newNetblock, ofClass, showNetblock } from "./ipam-fields.ts";
import { readFields, readQuery } from "./read-fields.ts";
import type { Answered, RestRequest, Route } from "./route.ts";

/** The routes. */
export function netblockRoutes({ service, newUuid }: IpamRoutesOptions): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/ipam/v1/netblocks",
      handle: (request) => listNetblocks(service, request),
    },
    {
      method: "POST",
      path: "/ipam/v1/netblocks",
      handle: async (request) => {
        const fields = readFields(newNetblock, request);
        if (fields.kind === "problem") return fields;
        const { uuid = newUuid(), ...wanted } = fields.value;
        return await runCommand(service, createNetblock({ uuid, ...wanted }), show(service));
      },
    },
    {
      method: "GET",
      path: "/ipam/v1/netblocks/:uuid",
      handle: (request) => {
        const fields = readNothing(request);
        const uuid = pathUuid(request);
        if (fields.kind === "problem") return fields;
        if (uuid.kind === "problem") return uuid;
        const found = service.view().netblocks.get(uuid.value);
        const missing = noSuch("UnknownNetblock", `no netblock has the uuid ${uuid.value}`);
        return showFound(found && show(service)(found), missing);
      },
    },
    {
      method: "PUT",
      path: "/ipam/v1/netblocks/:uuid",
      handle: async (request) => {
        const fields = readFields(changedNetblock, request);
        const uuid = pathUuid(request);
        if (fields.kind === "problem") return fields;
        if (uuid.kind === "problem") return uuid;
        const command = changeNetblock(uuid.value, fields.value.range);
        return await runCommand(service, command, show(service));
      },
    },
    {
      method: "DELETE",
      path: "/ipam/v1/netblocks/:uuid",
      handle: async (request) => {
        const uuid = pathUuid(request);
        if (uuid.kind === "problem") return uuid;
        return await runRemoval(service, deleteNetblock(uuid.value), request);
      },
    },
  ];
}

function listNetblocks(service: IpamService, request: RestRequest): Answered {
  const query = readQuery(ofClass, request);
  if (query.kind === "problem") return query;
  const { class: reference } = query.value;
  const state = service.view();
  const only = reference === undefined ? undefined : findClass(state, reference);
  if (reference !== undefined && only === undefined) return noClass(reference);
  const worlds = only === undefined ? [...state.classes.values()] : [only];
  const netblocks = worlds.flatMap((world) => {
    const held = countHeld(world);
    return world.netblocks.map((one) => showNetblock(one, held.get(one.uuid) ?? 0));
  });
  return { kind: "reply", status: 200, body: { netblocks } };
}

function show(service: IpamService): (netblock: Netblock) => object {
  return (netblock) => {
    const world = service.view().classes.get(netblock.class);
    const held = world === undefined ? 0 : (countHeld(world).get(netblock.uuid) ?? 0);
    return showNetblock(netblock, held);
  };
}
