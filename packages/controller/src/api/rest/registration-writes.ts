// Routes that change registrations: register, renew one or many, release. Given the service; they
// decide nothing of who gets what.

import type { Registration } from "../../ipam/ipam-model.ts";
import { release, renew, renewMany } from "../../ipam/keep.ts";
import { register } from "../../ipam/register.ts";
import {
  type IpamRoutesOptions,
  pathUuid,
  readNothing,
  runCommand,
  runRemoval,
} from "./ipam-command.ts";
import { newRegistration, renewals, showRegistration } from "./ipam-fields.ts";
import { readFields } from "./read-fields.ts";
import type { Route } from "./route.ts";

/** Bytes of a renewal of as many as may be renewed at once. */
const RENEWAL_BYTES_MAX = 512 * 1024;

/** The routes. */
export function registrationWrites({ service, newUuid }: IpamRoutesOptions): readonly Route[] {
  const show = (one: Registration): object => showRegistration(service, one);
  return [
    {
      method: "POST",
      path: "/ipam/v1/registrations",
      handle: async (request) => {
        const fields = readFields(newRegistration, request);
        if (fields.kind === "problem") return fields;
        const { uuid = newUuid(), ...wish } = fields.value;
        return await runCommand(service, register({ uuid, ...wish }), show);
      },
    },
    {
      method: "DELETE",
      path: "/ipam/v1/registrations/:uuid",
      handle: async (request) => {
        const uuid = pathUuid(request);
        if (uuid.kind === "problem") return uuid;
        return await runRemoval(service, release(uuid.value), request);
      },
    },
    {
      method: "POST",
      path: "/ipam/v1/registrations/:uuid/renew",
      handle: async (request) => {
        const fields = readNothing(request);
        const uuid = pathUuid(request);
        if (fields.kind === "problem") return fields;
        if (uuid.kind === "problem") return uuid;
        return await runCommand(service, renew(uuid.value), show);
      },
    },
    {
      method: "POST",
      path: "/ipam/v1/renew",
      bodyBytesMax: RENEWAL_BYTES_MAX,
      handle: async (request) => {
        const fields = readFields(renewals, request);
        if (fields.kind === "problem") return fields;
        const command = renewMany(fields.value.uuids);
        return await runCommand(service, command, ({ renewed, unknown }) => {
          return { renewed: renewed.map(show), unknown };
        });
      },
    },
  ];
}
