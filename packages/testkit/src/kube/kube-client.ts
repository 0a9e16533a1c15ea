// Objects of a Kubernetes cluster made, changed, removed, listed and waited for, by tests. Given a
// connection to the API server. It is no model for the product: it repeats nothing and keeps
// nothing.

import type { ApiConnection, ApiRequest } from "@fairlead/lab";

import {
  creationPath,
  type KubeKind,
  type KubeObject,
  kubePath,
  type KubeTarget,
} from "./kube-resource.ts";
import { type KubeEvent, type KubeWatch, openWatch } from "./kube-watch.ts";

/** An answer that says no. */
export class KubeRefusal extends Error {
  override readonly name = "KubeRefusal";
  readonly status: number;
  /** Such as "NotFound", "AlreadyExists", "Conflict", "Forbidden". */
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** How a patch is read. "apply" is server-side apply and needs `fieldManager`. */
export type PatchType = "merge" | "json" | "strategic" | "apply";

/** Settings of a patch. */
export interface PatchOptions {
  /** Default: merge. */
  readonly type?: PatchType;
  readonly fieldManager?: string;
  /** Takes fields from other managers. Default: no. */
  readonly force?: boolean;
}

/** Which objects of a kind. */
export interface KubeSelection {
  /** Default: all namespaces. */
  readonly namespace?: string;
  /** As in "app=web,tier!=db". */
  readonly labels?: string;
  /** As in "metadata.name=web". */
  readonly fields?: string;
}

/** Kubernetes as one user. Each call rejects with a KubeRefusal when the answer says no. */
export interface KubeClient {
  create(object: KubeObject): Promise<KubeObject>;
  /** Undefined: there is none. */
  get(target: KubeTarget): Promise<KubeObject | undefined>;
  list(kind: KubeKind, selection?: KubeSelection): Promise<readonly KubeObject[]>;
  patch(target: KubeTarget, patch: unknown, options?: PatchOptions): Promise<KubeObject>;
  /** Writes an object whole; with a resource version it must be the present one. */
  replace(object: KubeObject, subresource?: string): Promise<KubeObject>;
  remove(target: KubeTarget): Promise<void>;
  /** First all objects that there are, as added, then every change, each with its time. */
  watch(kind: KubeKind, selection?: KubeSelection): Promise<KubeWatch>;
  /**
   * Waits until `look` finds something in the object, and gives that. It is shown undefined while
   * there is none. `what` completes "until" in the message of a failure.
   */
  until<T>(
    what: string,
    target: KubeTarget,
    look: (object: KubeObject | undefined) => T | undefined,
    ms?: number,
  ): Promise<T>;
}

const PATCH_CONTENT: Readonly<Record<PatchType, string>> = {
  merge: "application/merge-patch+json",
  json: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** Makes the client. The connection stays the caller's. */
export function createKubeClient(connection: ApiConnection): KubeClient {
  const ask = (request: ApiRequest): Promise<unknown> => askWell(connection, request);
  const object = async (request: ApiRequest): Promise<KubeObject> =>
    (await ask(request)) as KubeObject;
  const get = async (target: KubeTarget): Promise<KubeObject | undefined> => {
    try {
      return await object({ method: "GET", path: kubePath(target) });
    } catch (error) {
      if (error instanceof KubeRefusal && error.status === 404) return undefined;
      throw error;
    }
  };
  const watch = (kind: KubeKind, selection: KubeSelection = {}): Promise<KubeWatch> =>
    openWatch(connection, listPath(kind, selection, { watch: "true" }));
  return {
    create: (made) =>
      object({ method: "POST", path: creationPath(made), body: JSON.stringify(made) }),
    get,
    list: async (kind, selection = {}) => {
      const path = listPath(kind, selection, {});
      const { items } = (await ask({ method: "GET", path })) as { items: readonly object[] };
      // Items of a list go without the kind that the list names.
      return items.map((item) => ({ ...kind, ...item }) as KubeObject);
    },
    patch: (target, patch, options = {}) => {
      const path = `${kubePath(target)}${query(patchParameters(options))}`;
      const contentType = PATCH_CONTENT[options.type ?? "merge"];
      return object({ method: "PATCH", path, contentType, body: JSON.stringify(patch) });
    },
    replace: (made, subresource) => {
      const { name, namespace = "default" } = made.metadata;
      const where = { apiVersion: made.apiVersion, kind: made.kind, name, namespace };
      const path = kubePath(subresource === undefined ? where : { ...where, subresource });
      return object({ method: "PUT", path, body: JSON.stringify(made) });
    },
    remove: async (target) => void (await ask({ method: "DELETE", path: kubePath(target) })),
    watch,
    until: async (what, target, look, ms) => {
      const { apiVersion, kind, name = "", namespace = "default" } = target;
      const selection = { namespace, fields: `metadata.name=${name}` };
      using watching = await watch({ apiVersion, kind }, selection);
      const found = await get(target);
      const see = (events: readonly KubeEvent[]): ReturnType<typeof look> => {
        const last = events.at(-1);
        // A watch tells nothing of what is not there.
        const seen = last === undefined ? found : last.object;
        return look(last?.type === "DELETED" ? undefined : seen);
      };
      return await watching.until(`${what} (${kind} ${namespace}/${name})`, see, ms);
    },
  };
}

async function askWell(connection: ApiConnection, request: ApiRequest): Promise<unknown> {
  const { status, text } = await connection.request(request);
  if (status < 400) return JSON.parse(text) as unknown;
  throw refusalOf(status, text, `${request.method} ${request.path}`);
}

function refusalOf(status: number, text: string, what: string): KubeRefusal {
  let said: { readonly reason?: string; readonly message?: string } = {};
  try {
    said = JSON.parse(text) as typeof said;
  } catch {
    // Not every refusal is an object of Kubernetes.
  }
  const message = `${what}: ${status} ${said.message ?? text.trim()}`;
  return new KubeRefusal(status, said.reason ?? "", message);
}

function patchParameters(options: PatchOptions): Readonly<Record<string, string>> {
  return {
    ...(options.fieldManager === undefined ? {} : { fieldManager: options.fieldManager }),
    ...(options.force === true ? { force: "true" } : {}),
  };
}

function listPath(
  kind: KubeKind,
  selection: KubeSelection,
  parameters: Readonly<Record<string, string>>,
): string {
  const { namespace, labels, fields } = selection;
  const path = kubePath({ ...kind, ...(namespace === undefined ? {} : { namespace }) });
  return `${path}${query({
    ...parameters,
    ...(labels === undefined ? {} : { labelSelector: labels }),
    ...(fields === undefined ? {} : { fieldSelector: fields }),
  })}`;
}

function query(parameters: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(parameters).toString();
  return text === "" ? "" : `?${text}`;
}
