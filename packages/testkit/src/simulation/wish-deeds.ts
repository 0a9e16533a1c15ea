// Wishes of a day that has more than one plain pool: other pools come, change and go, and Services
// ask for them, for both families and for addresses by name. Given the ring and the numbers.

import { pathOf, usualMembers } from "../scenario/manifests.ts";
import type { Ring } from "../scenario/ring.ts";
import { type Dice, PORTS, SERVICES } from "./chaos.ts";
import type { Trait } from "./day-traits.ts";

/** Wants one thing of what the day has, and says what. */
export type Wish = (ring: Ring, dice: Dice, traits: ReadonlySet<Trait>) => string;

/** The wishes of each trait, some of them more than once: these are made more often. */
export const WISHES: Readonly<Partial<Record<Trait, readonly Wish[]>>> = {
  families: [wantService, wantService, wantService],
  pools: [wantService, wantService, wantSide, wantSide, wantRival, drop("side"), drop("rival")],
  host: [wantService, wantService, wantOwn, drop("own")],
  link: [wantService, wantService, wantDevice, drop("device")],
};

/** The pools that Services may name, by trait. */
const NAMED: readonly (readonly [Trait, string])[] = [
  ["pools", "side"],
  ["pools", "rival"],
  ["host", "own"],
  ["link", "device"],
];

/** The address ranges that wishes come from, by the pool that gives them. */
const WISHED: readonly (readonly [Trait | undefined, string])[] = [
  [undefined, "192.0.2.10"],
  ["pools", "192.0.2.14"],
  ["host", "192.0.2.16"],
  ["link", "192.0.2.18"],
  ["families", "2001:db8::10"],
];

function wantService(ring: Ring, dice: Dice, traits: ReadonlySet<Trait>): string {
  const name = dice.pick(SERVICES);
  const listed = PORTS.filter(() => dice.random() < 0.5);
  const ports = listed.length === 0 ? ["tcp/80"] : listed;
  const wishes = [...poolWish(dice, traits), ...addressWish(dice, traits), ...keyWish(dice)];
  const labels = traits.has("pools") && dice.random() < 0.4 ? ["labels: { tier: front }"] : [];
  const annotations = wishes.length === 0 ? [] : [`annotations: { ${wishes.join(", ")} }`];
  const families = traits.has("families") ? familyFields(dice) : [];
  const metadata = [`name: ${name}`, "namespace: default", ...labels, ...annotations];
  const text = [
    "apiVersion: v1",
    "kind: Service",
    `metadata: { ${metadata.join(", ")} }`,
    "spec:",
    "  type: LoadBalancer",
    ...families.map((line) => `  ${line}`),
    "  ports:",
    ...ports.map((port) => `    - ${portText(port)}`),
  ];
  ring.folder.write(pathOf("Service", "default", name), `${text.join("\n")}\n`);
  const members = usualMembers(name, ports, ["10.0.0.1", "10.0.0.2"]);
  ring.folder.write(members.path, members.text);
  return ["want", name, ...ports, ...labels, ...wishes, ...families].join(" ");
}

function portText(port: string): string {
  const [protocol = "", number = ""] = port.split("/");
  const fields = `name: p${number}, protocol: ${protocol.toUpperCase()}, port: ${number}`;
  return `{ ${fields}, targetPort: 8080 }`;
}

function poolWish(dice: Dice, traits: ReadonlySet<Trait>): readonly string[] {
  const named = NAMED.flatMap(([trait, pool]) => (traits.has(trait) ? [pool] : []));
  if (named.length === 0 || dice.random() < 0.4) return [];
  return [`fairlead.io/address-pool: ${dice.pick([...named, ...named, "lan"])}`];
}

function addressWish(dice: Dice, traits: ReadonlySet<Trait>): readonly string[] {
  if (dice.random() < 0.7) return [];
  const known = WISHED.filter(([trait]) => trait === undefined || traits.has(trait));
  const count = 1 + dice.below(2);
  const addresses = Array.from({ length: count }, () => `${dice.pick(known)[1]}${dice.below(6)}`);
  return [`fairlead.io/addresses: "${[...new Set(addresses)].join(",")}"`];
}

function keyWish(dice: Dice): readonly string[] {
  return dice.random() < 0.2 ? [`fairlead.io/sharing-key: "k${dice.below(2)}"`] : [];
}

function familyFields(dice: Dice): readonly string[] {
  const policy = dice.pick(["SingleStack", "PreferDualStack", "RequireDualStack"]);
  const families = dice.pick(["", "[IPv4]", "[IPv6]", "[IPv4, IPv6]", "[IPv6, IPv4]"]);
  const isOdd = policy === "SingleStack" && families.includes(",");
  const listed = families === "" || isOdd ? [] : [`ipFamilies: ${families}`];
  return [`ipFamilyPolicy: ${policy}`, ...listed];
}

/** Grows, shrinks, shifts and withholds; who holds what it gives no more moves, one by one. */
function wantSide(ring: Ring, dice: Dice, traits: ReadonlySet<Trait>): string {
  const first = 140 + dice.below(3);
  const range = `192.0.2.${first}-192.0.2.${first + dice.below(4)}`;
  const six = traits.has("families") && dice.random() < 0.5 ? ", 2001:db8::140-2001:db8::142" : "";
  const fields = [`addresses: [${range}${six}]`, "onShrink: reassign"];
  if (dice.random() < 0.3) fields.push(`reserved: [192.0.2.${first}]`);
  if (dice.random() < 0.3) fields.push("serviceSelector: { matchLabels: { tier: front } }");
  if (dice.random() < 0.3) fields.push("autoAssign: false");
  if (dice.random() < 0.3) fields.push(`priority: ${dice.below(3) - 1}`);
  if (dice.random() < 0.3) fields.push("sharing: never");
  if (dice.random() < 0.3) fields.push("quarantine: 0s");
  return wantPool(ring, "side", fields);
}

/** Whoever has addresses of it keeps them, as it overlaps with others that are older. */
function wantRival(ring: Ring, dice: Dice): string {
  const range = dice.pick(["192.0.2.104-192.0.2.110", "192.0.2.122-192.0.2.141", "192.0.2.150"]);
  return wantPool(ring, "rival", [`addresses: [${range}]`]);
}

function wantOwn(ring: Ring, dice: Dice, traits: ReadonlySet<Trait>): string {
  const range = `192.0.2.160-192.0.2.${164 + dice.below(10)}`;
  const six = traits.has("families") && dice.random() < 0.5 ? ", 2001:db8::160-2001:db8::169" : "";
  const fields = [`addresses: [${range}${six}]`, "mode: host"];
  if (dice.random() < 0.3) fields.push("onShrink: reassign");
  if (dice.random() < 0.3) fields.push("agents: [lb1, lb2]");
  return wantPool(ring, "own", fields);
}

function wantDevice(ring: Ring, dice: Dice, traits: ReadonlySet<Trait>): string {
  const range = `192.0.2.180-192.0.2.${180 + dice.below(5)}`;
  const six = traits.has("families") && dice.random() < 0.5 ? ", 2001:db8::180-2001:db8::184" : "";
  const fields = [`addresses: [${range}${six}]`, "mode: link"];
  if (dice.random() < 0.3) fields.push("onShrink: reassign");
  return wantPool(ring, "device", fields);
}

function wantPool(ring: Ring, name: string, fields: readonly string[]): string {
  const text = [
    "apiVersion: fairlead.io/v1alpha1",
    "kind: AddressPool",
    `metadata: { name: ${name} }`,
    `spec: { ${fields.join(", ")} }`,
  ];
  ring.folder.write(pathOf("AddressPool", "default", name), `${text.join("\n")}\n`);
  return `want pool ${name}: ${fields.join(", ")}`;
}

function drop(name: string): Wish {
  return (ring) => {
    ring.folder.remove(pathOf("AddressPool", "default", name));
    return `drop pool ${name}`;
  };
}
