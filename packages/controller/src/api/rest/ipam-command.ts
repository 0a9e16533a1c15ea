// What all routes of the IPAM service do with a command: run it, show what is durable then, or say
// why it was refused.

import { refuse, unknownClass } from "../../ipam/answers.ts";
import { type Uuid, parseUuid } from "../../ipam/ipam-model.ts";
import type { IpamService } from "../../ipam/ipam-service.ts";
import type { Command } from "../../ipam/ipam-state.ts";
import { nothing } from "./ipam-fields.ts";
import { badRequest, refusalProblem } from "./problem.ts";
import { type Fields, readFields } from "./read-fields.ts";
import type { Answered, RestRequest } from "./route.ts";

/** What the routes work with. */
export interface IpamRoutesOptions {
  readonly service: IpamService;
  /** Makes a uuid for whoever sends none. */
  readonly newUuid: () => Uuid;
}

/** Runs a command; 201 for what it made, 200 for what was there. */
export async function runCommand<T>(
  service: IpamService,
  command: Command<T>,
  show: (value: T) => object,
): Promise<Answered> {
  const answer = await service.run(command);
  if (answer.kind === "refused") return { kind: "problem", ...refusalProblem(answer) };
  return { kind: "reply", status: answer.isNew ? 201 : 200, body: show(answer.value) };
}

/** Runs a command that takes something away, for a request without fields. */
export async function runRemoval(
  service: IpamService,
  command: Command<undefined>,
  request: RestRequest,
): Promise<Answered> {
  const fields = readNothing(request);
  if (fields.kind === "problem") return fields;
  const answer = await service.run(command);
  if (answer.kind === "refused") return { kind: "problem", ...refusalProblem(answer) };
  return { kind: "reply", status: 204 };
}

/** Reads a request that has no fields, neither in its body nor in its query. */
export function readNothing(request: RestRequest): Fields<object> {
  return readFields(nothing, request);
}

/** The uuid of the path. */
export function pathUuid({ params }: RestRequest): Fields<Uuid> {
  const text = params["uuid"] ?? "";
  const value = parseUuid(text);
  if (value !== undefined) return { kind: "fields", value };
  return { kind: "problem", ...badRequest(`${JSON.stringify(text)} in the path is no uuid`) };
}

/** The class's uuid or name of the path; whatever it is, there may be no such class. */
export function pathClass({ params }: RestRequest): string {
  const text = params["class"] ?? "";
  return parseUuid(text) ?? text;
}

/** Shows one that was asked for. */
export function showFound(value: object | undefined, missing: Answered): Answered {
  return value === undefined ? missing : { kind: "reply", status: 200, body: value };
}

/** The answer for a class that is not there. */
export function noClass(reference: string): Answered {
  return { kind: "problem", ...refusalProblem(unknownClass(reference)) };
}

/** The answer for something else that is not there. */
export function noSuch(reason: "UnknownNetblock" | "UnknownRegistration", why: string): Answered {
  return { kind: "problem", ...refusalProblem(refuse(reason, why)) };
}
