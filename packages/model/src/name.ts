// Checked names. Text from users becomes one of these at the edge or is refused there, so that
// no name in the core can hold a newline, a quote, a brace or anything a config file would read.

declare const nameBrand: unique symbol;

/** An agent's name: an RFC 1123 subdomain of at most 253 characters, as node names are. */
export type AgentName = string & { readonly [nameBrand]: "agent" };
/** A pool's name: an RFC 1123 subdomain of at most 253 characters. */
export type PoolName = string & { readonly [nameBrand]: "pool" };
/** `kind/namespace/name` of what is exposed, names per RFC 1123: `service/default/web`. */
export type ClaimId = string & { readonly [nameBrand]: "claim" };
/** A network device's name: 1 to 15 of letters, digits, `.`, `_`, `-`, `@` and `:` excluded. */
export type DeviceName = string & { readonly [nameBrand]: "device" };

const WORD = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_PATTERN = new RegExp(`^${WORD}(?:\\.${WORD})*$`);
const LABEL_PATTERN = new RegExp(`^${WORD}$`);
const DEVICE_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/;

/**
 * Whether the text is an RFC 1123 subdomain (Kubernetes object names), at most 253 characters in
 * all. As in Kubernetes, what stands between two dots may be longer than a DNS label.
 */
export function isSubdomain(text: string): boolean {
  return text.length <= 253 && SUBDOMAIN_PATTERN.test(text);
}

/** Whether the text is an RFC 1123 label (Kubernetes namespaces and Services), at most 63. */
export function isLabel(text: string): boolean {
  return text.length <= 63 && LABEL_PATTERN.test(text);
}

/** Reads an agent's name; undefined when it is not one. */
export function parseAgentName(text: string): AgentName | undefined {
  return isSubdomain(text) ? (text as AgentName) : undefined;
}

/** Reads a pool's name; undefined when it is not one. */
export function parsePoolName(text: string): PoolName | undefined {
  return isSubdomain(text) ? (text as PoolName) : undefined;
}

/** Reads a device's name; undefined when the kernel or keepalived could misread it. */
export function parseDeviceName(text: string): DeviceName | undefined {
  return DEVICE_PATTERN.test(text) ? (text as DeviceName) : undefined;
}

/**
 * Kinds of sources that claims come from; the first part of a claim's id. A `registration` is of
 * the IPAM service: it asks for a whole address and has no ports.
 */
export type ClaimKind =
  | "service"
  | "configmap"
  | "ingress"
  | "gateway"
  | "virtualip"
  | "registration";

const CLAIM_KINDS: readonly ClaimKind[] = [
  "service",
  "configmap",
  "ingress",
  "gateway",
  "virtualip",
  "registration",
];

/** Makes a claim's id of its kind and checked names; undefined when a name is not RFC 1123. */
export function claimId(kind: ClaimKind, namespace: string, name: string): ClaimId | undefined {
  if (!isLabel(namespace) || !isSubdomain(name)) return undefined;
  return `${kind}/${namespace}/${name}` as ClaimId;
}

/** Reads `kind/namespace/name`; undefined when it is not a claim's id. */
export function parseClaimId(text: string): ClaimId | undefined {
  const [kind, namespace, name, ...rest] = text.split("/");
  const known = CLAIM_KINDS.find((candidate) => candidate === kind);
  if (known === undefined || namespace === undefined || name === undefined) return undefined;
  return rest.length > 0 ? undefined : claimId(known, namespace, name);
}

/** `namespace/name` of a claim, as people write it. */
export function claimTitle(id: ClaimId): string {
  return id.slice(id.indexOf("/") + 1);
}
