// What requests to an API server ask for, and the faults that some of them meet. Pure words, which
// the proxy and whoever tells it what goes wrong have in common.

/** What is done: "names" lists names and versions alone. */
export type AskedVerb = "list" | "names" | "watch" | "get" | "write";

/** What a request is about. */
export interface Asked {
  readonly verb: AskedVerb;
  /** With its subresource behind a slash, as in "services/status"; "" for other paths. */
  readonly resource: string;
  /** "" for a whole kind. */
  readonly name: string;
}

/** What goes wrong. */
export type FaultDo =
  /** A Status object with this code. Watches that are open end, so that they meet it too. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly message: string;
      readonly retryAfterS?: number;
    }
  /** The request waits so long before it goes on. Watches that are open end. */
  | { readonly kind: "late"; readonly ms: number }
  /** A whole list without the objects of these names, or without any. */
  | { readonly kind: "lack"; readonly names?: readonly string[] }
  /** The next event of a watch ends in its middle, and the connection with it. */
  | { readonly kind: "cut" }
  /** Watches carry nothing more and stay open, until they are reset when this is lifted. */
  | { readonly kind: "silence" };

/** Which requests meet what. */
export interface Fault {
  readonly verbs: readonly AskedVerb[];
  /** Default: all. */
  readonly resources?: readonly string[];
  readonly do: FaultDo;
  /** How many of them. Default: all until it is lifted. */
  readonly times?: number;
}

/** A line of the proxy's input: a fault begins, or the one of that number ends. */
export type ProxyOrder =
  | { readonly id: number; readonly begin: Fault }
  | { readonly id: number; readonly lift: number };

const OBJECT =
  /^\/(?:api|apis\/[^/]+)\/v[^/]+\/(?:namespaces\/[^/]+\/)?([^/]+)(?:\/([^/]+)(?:\/([^/]+))?)?$/;

/** Reads what a request asks for. */
export function readAsked(request: {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly accept: string;
}): Asked {
  const { pathname, searchParams } = new URL(request.url, "https://kubernetes");
  const [, kind = "", name = "", part] = OBJECT.exec(pathname) ?? [];
  const resource = part === undefined ? kind : `${kind}/${part}`;
  if (request.method !== "GET") return { verb: "write", resource, name };
  if (searchParams.get("watch") === "1") return { verb: "watch", resource, name };
  if (name !== "") return { verb: "get", resource, name };
  const isNames = request.accept.includes("as=PartialObjectMetadataList");
  return { verb: isNames ? "names" : "list", resource, name };
}

/** Whether the fault is about such a request. */
export function isMeant({ verbs, resources }: Fault, { verb, resource }: Asked): boolean {
  return verbs.includes(verb) && (resources === undefined || resources.includes(resource));
}
