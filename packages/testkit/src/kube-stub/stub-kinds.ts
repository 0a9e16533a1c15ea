// The kinds that the stub serves, and what a request is about. Given method and URL; it knows no
// objects and no rights. Pure.

/** A kind of object, as the stub serves it. */
export interface StubKind {
  readonly kind: string;
  readonly resource: StubResource;
  readonly group: string;
  readonly apiVersion: string;
  readonly isNamespaced: boolean;
  /** Whether the API server counts generations of it: it does not for Services and Nodes. */
  readonly hasGeneration: boolean;
}

/** What the path names. */
export type StubResource =
  | "services"
  | "nodes"
  | "endpointslices"
  | "events"
  | "leases"
  | "addressleases"
  | "vrrplanes"
  | "operatorintents"
  | "storejournals"
  | "ipamshards";
/** What is done, in the words of RBAC. */
export type StubVerb = "list" | "watch" | "get" | "create" | "update" | "patch" | "delete";

/** All that is served. */
export const STUB_KINDS: readonly StubKind[] = [
  core("Service", "services", true),
  core("Node", "nodes", false),
  {
    kind: "EndpointSlice",
    resource: "endpointslices",
    group: "discovery.k8s.io",
    apiVersion: "discovery.k8s.io/v1",
    isNamespaced: true,
    hasGeneration: true,
  },
  {
    kind: "Event",
    resource: "events",
    group: "events.k8s.io",
    apiVersion: "events.k8s.io/v1",
    isNamespaced: true,
    hasGeneration: false,
  },
  {
    kind: "Lease",
    resource: "leases",
    group: "coordination.k8s.io",
    apiVersion: "coordination.k8s.io/v1",
    isNamespaced: true,
    hasGeneration: false,
  },
  ours("AddressLease", "addressleases"),
  ours("VrrpLane", "vrrplanes"),
  ours("OperatorIntent", "operatorintents"),
  ours("StoreJournal", "storejournals"),
  ours("IpamShard", "ipamshards"),
];

/** A kind of deploy/crds, all of one for the cluster. */
function ours(kind: string, resource: StubResource): StubKind {
  const [group, apiVersion] = ["fairlead.io", "fairlead.io/v1alpha1"];
  return { kind, resource, group, apiVersion, isNamespaced: false, hasGeneration: true };
}

function core(kind: string, resource: StubResource, isNamespaced: boolean): StubKind {
  return { kind, resource, group: "", apiVersion: "v1", isNamespaced, hasGeneration: false };
}

/** The kind of that name. One that is not served is a bug of the test. */
export function stubKind(kind: string): StubKind {
  const found = STUB_KINDS.find((each) => each.kind === kind);
  if (found === undefined) throw new TypeError(`the stub serves no ${kind}`);
  return found;
}

/** What a request is about. */
export interface StubTarget {
  readonly kind: StubKind;
  readonly verb: StubVerb;
  /** Undefined: all namespaces, or a kind without. */
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: "status";
}

/** Why a request is about nothing that is served. */
export type NoTarget = "not-found" | "method-not-allowed";

/** Reads it. Query parameters make a list a watch. */
export function readTarget(method: string, url: URL): StubTarget | NoTarget {
  for (const kind of STUB_KINDS) {
    const root = kind.group === "" ? "/api/v1" : `/apis/${kind.apiVersion}`;
    if (!url.pathname.startsWith(`${root}/`)) continue;
    const place = readPlace(kind, url.pathname.slice(root.length));
    if (place === undefined) continue;
    const verb = verbOf(method, place, url.searchParams);
    return verb === undefined ? "method-not-allowed" : { kind, verb, ...place };
  }
  return "not-found";
}

type Place = Pick<StubTarget, "namespace" | "name" | "subresource">;

function readPlace(kind: StubKind, path: string): Place | undefined {
  const steps = path.split("/").slice(1).map(decodeURIComponent);
  const isInNamespace = kind.isNamespaced && steps[0] === "namespaces" && steps.length > 2;
  const [resource, name, subresource, ...more] = isInNamespace ? steps.slice(2) : steps;
  if (resource !== kind.resource || more.length > 0) return undefined;
  if (subresource !== undefined && subresource !== "status") return undefined;
  // A name without its namespace names nothing.
  if (name !== undefined && kind.isNamespaced !== isInNamespace) return undefined;
  return {
    ...(isInNamespace && steps[1] !== undefined ? { namespace: steps[1] } : {}),
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  };
}

function verbOf(method: string, { name }: Place, query: URLSearchParams): StubVerb | undefined {
  const isWatch = ["1", "true"].includes(query.get("watch") ?? "");
  if (name === undefined) {
    if (method === "POST") return "create";
    return method === "GET" ? (isWatch ? "watch" : "list") : undefined;
  }
  switch (method) {
    case "GET":
      return "get";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return "delete";
    default:
      return undefined;
  }
}
