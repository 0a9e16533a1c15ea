// Routes of classes: list, create, read, rename, delete. A class is named in a path by its uuid or
// by its name.

import { createClass, deleteClass, renameClass } from "../../ipam/class-commands.ts";
import { findClass } from "../../ipam/ipam-state.ts";
import {
  type IpamRoutesOptions,
  noClass,
  pathClass,
  readNothing,
  runCommand,
  runRemoval,
  showFound,
} from "./ipam-command.ts";
import { changedClass, newClass, showClass } from "./ipam-fields.ts";
import { readFields } from "./read-fields.ts";
import type { Route } from "./route.ts";

/** The routes. */
export function classRoutes({ service, newUuid }: IpamRoutesOptions): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/ipam/v1/classes",
      handle: (request) => {
        const fields = readNothing(request);
        if (fields.kind === "problem") return fields;
        const classes = [...service.view().classes.values()];
        const body = { classes: classes.map((one) => showClass(one.class)) };
        return { kind: "reply", status: 200, body };
      },
    },
    {
      method: "POST",
      path: "/ipam/v1/classes",
      handle: async (request) => {
        const fields = readFields(newClass, request);
        if (fields.kind === "problem") return fields;
        const { uuid = newUuid(), name } = fields.value;
        return await runCommand(service, createClass({ uuid, name }), showClass);
      },
    },
    {
      method: "GET",
      path: "/ipam/v1/classes/:class",
      handle: (request) => {
        const fields = readNothing(request);
        if (fields.kind === "problem") return fields;
        const reference = pathClass(request);
        const found = findClass(service.view(), reference)?.class;
        return showFound(found && showClass(found), noClass(reference));
      },
    },
    {
      method: "PUT",
      path: "/ipam/v1/classes/:class",
      handle: async (request) => {
        const fields = readFields(changedClass, request);
        if (fields.kind === "problem") return fields;
        const command = renameClass(pathClass(request), fields.value.name);
        return await runCommand(service, command, showClass);
      },
    },
    {
      method: "DELETE",
      path: "/ipam/v1/classes/:class",
      handle: (request) => runRemoval(service, deleteClass(pathClass(request)), request),
    },
  ];
}
