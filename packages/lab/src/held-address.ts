// Addresses that a host's kernel holds, as `ip` tells them. Given its JSON or one line of its
// monitor, pure. It must not leave out what it does not understand without saying so.

/** One address of a device. */
export interface HeldAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: "ipv4" | "ipv6";
  /** The device that holds it. */
  readonly link: string;
  /** The owner mark of IPv4 addresses, when it is not just the device's name. */
  readonly label: string | undefined;
}

/** A change that the kernel told. */
export interface AddressChange {
  readonly event: "added" | "removed";
  readonly held: HeldAddress;
}

interface JsonAddress {
  readonly family: string;
  readonly local: string;
  readonly prefixlen: number;
  readonly label?: string;
}

interface JsonLink {
  readonly ifname: string;
  readonly addr_info?: readonly Partial<JsonAddress>[];
}

/** Reads the output of `ip -j address show`. */
export function parseAddressList(json: string): readonly HeldAddress[] {
  const links = JSON.parse(json) as readonly Partial<JsonLink>[];
  return links.flatMap((link) => (link.addr_info ?? []).flatMap((info) => readInfo(link, info)));
}

function readInfo(link: Partial<JsonLink>, info: Partial<JsonAddress>): readonly HeldAddress[] {
  const { family, local, prefixlen, label } = info;
  if (link.ifname === undefined || local === undefined || prefixlen === undefined) return [];
  return [
    {
      address: local,
      prefixLength: prefixlen,
      family: family === "inet6" ? "ipv6" : "ipv4",
      link: link.ifname,
      label: label === link.ifname ? undefined : label,
    },
  ];
}

/** "Deleted 2: eth0    inet 192.0.2.50/32 scope global eth0\ valid_lft ...", or without Deleted. */
const CHANGE = new RegExp(
  [
    /^(?<deleted>Deleted )?\d+: (?<link>\S+)\s+(?<family>inet6?) (?<address>[^\s/]+)/,
    /(?: peer [^\s/]+)?(?:\/(?<prefix>\d+))?(?<rest>.*)$/,
  ]
    .map((part) => part.source)
    .join(""),
);

/** What stands before the lifetimes, after the scope and the flags: the label. */
const LABEL = /\sscope \S+(?: \w+)*? (?<label>\S+)\\/;

/** Reads one line of `ip -o monitor address`. Undefined for a line that is not about an address. */
export function parseAddressChange(line: string): AddressChange | undefined {
  const groups = CHANGE.exec(line)?.groups;
  if (groups === undefined) return undefined;
  const family = groups["family"] === "inet6" ? "ipv6" : "ipv4";
  const link = groups["link"] ?? "";
  const label = LABEL.exec(groups["rest"] ?? "")?.groups?.["label"];
  return {
    event: groups["deleted"] === undefined ? "added" : "removed",
    held: {
      address: groups["address"] ?? "",
      prefixLength: Number(groups["prefix"] ?? (family === "ipv6" ? 128 : 32)),
      family,
      link,
      label: family === "ipv6" || label === link ? undefined : label,
    },
  };
}
