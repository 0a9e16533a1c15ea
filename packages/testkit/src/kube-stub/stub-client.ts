// Asks the stub over HTTP as plainly as can be, for its own tests. Given the stub. It checks
// nothing: a bad status is an answer.

import assert from "node:assert/strict";
import { request as startRequest } from "node:http";

import { childOf, isJson, type Json, listOf, textOf } from "./json-tree.ts";
import type { KubeStub } from "./kube-stub.ts";
import { placeOf } from "./object-history.ts";

/** An answer with its parsed body. */
export interface PlainAnswer {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

/** A watch under way. */
export interface PlainWatch {
  readonly status: number;
  /** Resolves with so many lines, parsed; rejects when it ends before. */
  lines(count: number): Promise<readonly Json[]>;
  /** Resolves with how it ended: whole, or cut. And with all text that came. */
  readonly ended: Promise<{ readonly isWhole: boolean; readonly text: string }>;
  close(): void;
}

/** Asks. */
export async function ask(
  stub: KubeStub,
  method: string,
  path: string,
  sent: { readonly body?: Json; readonly type?: string; readonly accept?: string } = {},
): Promise<PlainAnswer> {
  const { body, type = "application/json", accept = "application/json" } = sent;
  const answer = await fetch(`${stub.server}${path}`, {
    method,
    headers: { Accept: accept, "User-Agent": "plain", "Content-Type": type },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const parsed: unknown = await answer.json();
  assert.ok(isJson(parsed));
  return { status: answer.status, body: parsed, headers: answer.headers };
}

/** Server-side apply of a Service in `default`. */
export function apply(
  stub: KubeStub,
  at: string,
  manager: string,
  body: Json,
): Promise<PlainAnswer> {
  const [name = "", ...more] = at.split("/");
  const query = `fieldManager=${manager}${more.includes("force") ? "&force=true" : ""}`;
  const subresource = more.includes("status") ? "/status" : "";
  const path = `/api/v1/namespaces/default/services/${name}${subresource}?${query}`;
  const metadata = { name, namespace: "default", ...childOf(body, "metadata") };
  const whole = { apiVersion: "v1", kind: "Service", ...body, metadata };
  return ask(stub, "PATCH", path, { body: whole, type: "application/apply-patch+yaml" });
}

/** Watches. */
export async function watch(stub: KubeStub, path: string): Promise<PlainWatch> {
  const { promise, resolve, reject } = Promise.withResolvers<PlainWatch>();
  const call = startRequest(`${stub.server}${path}`, (answer) => {
    let text = "";
    let look = (): void => undefined;
    answer.setEncoding("utf8");
    answer.on("data", (chunk: string) => {
      text += chunk;
      look();
    });
    answer.on("error", () => undefined);
    const ended = new Promise<{ readonly isWhole: boolean; readonly text: string }>((done) => {
      answer.on("close", () => done({ isWhole: answer.complete, text }));
    });
    const lines = async (count: number): Promise<readonly Json[]> => {
      const parsed = (): readonly Json[] =>
        text
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Json);
      const enough = new Promise<void>((done) => {
        look = () => {
          if (parsed().length >= count) done();
        };
        look();
      });
      await Promise.race([
        enough,
        ended.then(() => parsed().length < count && assert.fail(`it ended after: ${text}`)),
      ]);
      return parsed();
    };
    resolve({
      status: answer.statusCode ?? 0,
      lines,
      ended,
      close: () => void answer.destroy(),
    });
  });
  call.on("error", reject);
  call.end();
  return await promise;
}

/** A Service with one port. */
export function service(name: string, fields: Json = {}): Json {
  const spec = { type: "LoadBalancer", ports: [{ port: 80, protocol: "TCP" }] };
  return {
    apiVersion: "v1",
    kind: "Service",
    spec,
    ...fields,
    metadata: { name, namespace: "default", ...childOf(fields, "metadata") },
  };
}

/** `TYPE NAMESPACE/NAME @VERSION` of a line of a watch. */
export function eventWords(line: Json): string {
  const object = childOf(line, "object");
  return `${textOf(line, "type")} ${placeOf(object)} @${versionOf(object)}`;
}

/** The names in a list. */
export function namesIn(list: Json): readonly string[] {
  return listOf(list, "items")
    .filter(isJson)
    .map((item) => textOf(childOf(item, "metadata"), "name"));
}

/** Its metadata.resourceVersion, also that of a list. */
export function versionOf(object: Json): string {
  return textOf(childOf(object, "metadata"), "resourceVersion");
}

/** Uid and version of a Service in `default`, as a precondition. */
export function identityOf(stub: KubeStub, name: string): Json {
  const metadata = childOf(stub.get("Service", "default", name) ?? {}, "metadata");
  return { uid: metadata["uid"], resourceVersion: metadata["resourceVersion"] };
}

/** `MANAGER OPERATION SUBRESOURCE FIELDS`, for each entry of managedFields. */
export function writersOf(object: Json): readonly string[] {
  const entries = listOf(childOf(object, "metadata"), "managedFields").filter(isJson);
  return entries.map(({ manager, operation, subresource = "-", fieldsV1 }) =>
    [manager, operation, subresource, JSON.stringify(fieldsV1)].join(" "),
  );
}
