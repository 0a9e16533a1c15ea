// Objects of Kubernetes and where an API server has them. Given kinds and names. Pure. It knows the
// English of Kubernetes' plurals and which kinds belong to no namespace, and asks no server.

/** An object as it travels; what is not named here is looked at by whoever knows the kind. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly [field: string]: unknown;
}

/** What every object has. */
export interface KubeMetadata {
  readonly name: string;
  /** Default of those that need one: "default". */
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** A kind with its group and version, as objects have it. */
export interface KubeKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** One object, or all of a kind when there is no name. */
export interface KubeTarget extends KubeKind {
  /** Undefined: all namespaces for a list, "default" for an object. */
  readonly namespace?: string;
  readonly name?: string;
  /** Such as "status". */
  readonly subresource?: string;
}

const KINDS_WITHOUT_NAMESPACE: ReadonlySet<string> = new Set([
  "AddressLease",
  "AddressPool",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "GatewayClass",
  "IngressClass",
  "IpamShard",
  "Namespace",
  "Node",
  "OperatorIntent",
  "ServiceCIDR",
  "StoreJournal",
  "VrrpLane",
]);

/** The path of an object, or of the list of its kind. */
export function kubePath(target: KubeTarget): string {
  const { apiVersion, kind, namespace, name, subresource } = target;
  const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inside = KINDS_WITHOUT_NAMESPACE.has(kind)
    ? undefined
    : (namespace ?? (name === undefined ? undefined : "default"));
  const parts = [
    ...(inside === undefined ? [] : ["namespaces", inside]),
    pluralOf(kind),
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return `${base}/${parts.map(encodeURIComponent).join("/")}`;
}

/** The path to which an object of this kind is posted. */
export function creationPath(object: KubeObject): string {
  const { apiVersion, kind, metadata } = object;
  return kubePath({ apiVersion, kind, namespace: metadata.namespace ?? "default" });
}

function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (word === "endpoints") return word;
  if (word.endsWith("s")) return `${word}es`;
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return `${word}s`;
}
