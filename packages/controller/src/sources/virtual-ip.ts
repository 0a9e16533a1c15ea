// A VIP that was declared by itself, as JSON: what it may say, in our words or in those of the
// older systems. Given the text and the name that it stands under. Pure: it says what is wrong with
// the text; what addresses and members mean is decided in translate-virtual-ip.ts.

import { isLabel, isSubdomain } from "@fairlead/model";
import { z } from "zod";

import { absent, stringMap } from "./object-metadata.ts";
import { quote } from "./quote.ts";
import { schemaProblem } from "./schema-problem.ts";

/** A declared VIP. */
export interface VirtualIp {
  readonly namespace: string;
  /** The name that it is declared under. */
  readonly name: string;
  /** Where its members are. */
  readonly members:
    | { readonly kind: "service"; readonly service: string; readonly port: string | undefined }
    /** `ADDRESS` and port, as written. */
    | { readonly kind: "listed"; readonly members: readonly ListedMember[] };
  readonly port: number;
  readonly protocol: "TCP" | "UDP";
  readonly profiles: readonly string[];
  /** As written; judged with the claim. */
  readonly addresses: readonly string[];
  readonly pool: string | undefined;
  readonly sharingKey: string | undefined;
  readonly ipFamilies: readonly ("IPv4" | "IPv6")[] | undefined;
  readonly ipFamilyPolicy: "SingleStack" | "PreferDualStack" | "RequireDualStack" | undefined;
  /** `fairlead.io/...` and their aliases, as on a Service. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** One member by hand. */
export interface ListedMember {
  readonly address: string;
  readonly port: number;
}

/** What a text declares; `namespace` of a bad one where at least that is known. */
export type ReadVirtualIp =
  | { readonly kind: "ok"; readonly vip: VirtualIp }
  | { readonly kind: "bad"; readonly namespace: string | undefined; readonly detail: string };

/** The names of the older systems, and ours for the same. */
const OLDER: Readonly<Record<string, string>> = {
  frontend_ip: "address",
  frontend_ip_class: "pool",
  frontend_port: "port",
  frontend_protocol: "protocol",
  frontend_profiles: "profiles",
  pool_members: "members",
  kube_namespace: "namespace",
  kube_service_name: "service",
  kube_service_port_name: "servicePort",
};
/** Fields of the older systems that say nothing here: the lease and the members have it. */
const UNUSED: ReadonlySet<string> = new Set(["frontend_ip_uuid", "pool_member_protocols"]);
/** Longest declaration that is read, in characters: etcd takes 1.5 MiB. */
const CHARACTERS_MAX = 256 * 1024;
const MEMBERS_MAX = 1024;

const portNumber = z.int().min(1).max(65_535);
/** The older systems write what they leave out as an empty text. */
const text = absent(z.string()).transform((value) => (value === "" ? undefined : value));

const member = z.union(
  [
    z.string(),
    z.strictObject({ address: z.string(), port: portNumber }),
    z
      .strictObject({ IP: z.string(), Port: portNumber, Protocol: text })
      .transform(({ IP, Port, Protocol }) => ({ address: IP, port: Port, protocol: Protocol })),
  ],
  "expected ADDRESS:PORT, or address and port",
);

/** A member as it is written: in one text, or with what it says of its protocol. */
type WrittenMember = z.infer<typeof member>;

const SCHEMA = z.strictObject({
  name: text,
  namespace: text,
  service: text,
  servicePort: absent(z.union([z.string(), portNumber])),
  members: absent(z.array(member).max(MEMBERS_MAX)),
  port: portNumber,
  protocol: absent(z.string()),
  profiles: absent(z.array(z.string())),
  address: text,
  addresses: absent(z.array(z.string())),
  pool: text,
  sharingKey: text,
  ipFamilies: absent(z.array(z.enum(["IPv4", "IPv6"])).max(2)),
  ipFamilyPolicy: absent(z.enum(["SingleStack", "PreferDualStack", "RequireDualStack"])),
  annotations: absent(stringMap),
});

/** Reads a declaration that stands under `name`. Never throws. */
export function readVirtualIp(name: string, written: string): ReadVirtualIp {
  const nobodys = (detail: string): ReadVirtualIp => ({
    kind: "bad",
    namespace: undefined,
    detail,
  });
  if (!isSubdomain(name)) return nobodys(`${quote(name)} is no name`);
  if (written.length > CHARACTERS_MAX) {
    return nobodys(`it has more than ${CHARACTERS_MAX} characters`);
  }
  const fields = readFields(written);
  if (typeof fields === "string") return nobodys(fields);
  const space = fields["namespace"] ?? "";
  if (typeof space !== "string") return nobodys("namespace: expected text");
  if (space !== "" && !isLabel(space)) return nobodys(`namespace ${quote(space)} is no namespace`);
  return readFieldsOf({ namespace: space === "" ? "default" : space, name }, fields);
}

function readFieldsOf(
  { namespace, name }: Pick<VirtualIp, "namespace" | "name">,
  fields: Readonly<Record<string, unknown>>,
): ReadVirtualIp {
  const bad = (detail: string): ReadVirtualIp => ({ kind: "bad", namespace, detail });
  const parsed = SCHEMA.safeParse(fields);
  if (!parsed.success) return bad(schemaProblem(parsed.error, fields));
  const { data } = parsed;
  if (data.name !== undefined && data.name !== name) {
    return bad(`it is called ${quote(data.name)} and stands under ${quote(name)}`);
  }
  const protocol = (data.protocol ?? "TCP").toUpperCase();
  if (protocol !== "TCP" && protocol !== "UDP") {
    return bad(`protocol ${quote(protocol)} is neither TCP nor UDP`);
  }
  const members = membersOf(data, protocol);
  if (typeof members === "string") return bad(members);
  const { address, addresses = [], pool, sharingKey, ipFamilies, ipFamilyPolicy } = data;
  const vip: VirtualIp = {
    namespace,
    name,
    members,
    port: data.port,
    protocol,
    profiles: data.profiles ?? [],
    addresses: [...(address === undefined ? [] : [address]), ...addresses],
    pool,
    sharingKey,
    ipFamilies,
    ipFamilyPolicy,
    annotations: data.annotations ?? {},
  };
  return { kind: "ok", vip };
}

/** The fields by our names, or what is wrong with the text. */
function readFields(written: string): Readonly<Record<string, unknown>> | string {
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch {
    return "it is not JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return "it is not a JSON object";
  }
  const fields = new Map<string, unknown>();
  for (const [key, one] of Object.entries(value)) {
    if (UNUSED.has(key)) continue;
    const ours = Object.hasOwn(OLDER, key) ? (OLDER[key] ?? key) : key;
    if (fields.has(ours)) return `${quote(ours)} stands there in two spellings`;
    fields.set(ours, one);
  }
  return Object.fromEntries(fields);
}

function membersOf(
  { service, servicePort, members = [] }: z.infer<typeof SCHEMA>,
  protocol: VirtualIp["protocol"],
): VirtualIp["members"] | string {
  if (service === undefined) {
    if (servicePort !== undefined && servicePort !== "") return "servicePort needs service";
    // The older systems write an empty list beside a Service; alone it says nothing.
    if (members.length === 0) return "either service or members has to say where traffic goes";
    return listedMembers(members, protocol);
  }
  if (members.length > 0) return "service and members cannot both say where traffic goes";
  if (!isSubdomain(service)) return `service ${quote(service)} is no name`;
  const port = servicePort === undefined ? "" : String(servicePort);
  return { kind: "service", service, port: port === "" ? undefined : port };
}

function listedMembers(
  written: readonly WrittenMember[],
  protocol: VirtualIp["protocol"],
): VirtualIp["members"] | string {
  const members: ListedMember[] = [];
  for (const one of written) {
    const read = typeof one === "string" ? readMember(one) : one;
    if (typeof read === "string") return read;
    const { address, port } = read;
    const own = typeof one !== "string" && "protocol" in one ? one.protocol : undefined;
    if (own !== undefined && own.toUpperCase() !== protocol) {
      return `member ${quote(`${address} port ${port}`)} is ${quote(own)}, and the VIP ${protocol}`;
    }
    members.push({ address, port });
  }
  return { kind: "listed", members };
}

/** An IPv6 address stands in brackets: without them its last part could be the port. */
function readMember(written: string): ListedMember | string {
  const [, inBrackets, plain, port] =
    /^(?:\[([^[\]]+)\]|([^:[\]]+)):(\d{1,5})$/u.exec(written) ?? [];
  const address = inBrackets ?? plain;
  const number = Number(port);
  if (address !== undefined && number >= 1 && number <= 65_535) return { address, port: number };
  const isIpv6 = /:.*:/u.test(written);
  return `member ${quote(written)} is not ${isIpv6 ? "[ADDRESS]:PORT" : "ADDRESS:PORT"}`;
}
