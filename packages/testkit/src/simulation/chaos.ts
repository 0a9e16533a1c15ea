// One random thing after the other that may happen to a ring: people change what they want, hosts
// and programs die and come back, links and streams break. Given the ring and the numbers; what it
// broke it can mend again.

import { CRASH_POINTS } from "../scenario/crashing-store.ts";
import { pathOf, usualMembers, usualService } from "../scenario/manifests.ts";
import type { Ring } from "../scenario/ring.ts";
import type { RingAgent } from "../scenario/ring-agent.ts";

/** Picks from a seed. */
export interface Dice {
  /** Uniform in [0, 1). */
  random(): number;
  /** An integer from 0 to `count - 1`. */
  below(count: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Makes dice of a random source. */
export function createDice(random: () => number): Dice {
  const below = (count: number): number => Math.floor(random() * count);
  return {
    random,
    below,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError("there is nothing to pick from");
      return item;
    },
  };
}

/** Names of the Services that come and go. */
export const SERVICES: readonly string[] = Array.from({ length: 8 }, (_, at) => `s${at}`);
/** What they may listen on. */
export const PORTS: readonly string[] = ["tcp/80", "tcp/443", "udp/53"];

interface Deed {
  /** How often it happens, against the others. */
  readonly weight: number;
  /** Does it, and says what in a few words. */
  readonly act: (ring: Ring, dice: Dice) => string;
}

const DEEDS: readonly Deed[] = [
  { weight: 10, act: wantService },
  { weight: 6, act: dropService },
  { weight: 4, act: changeMembers },
  { weight: 2, act: wantPool },
  { weight: 1, act: dropPool },
  { weight: 3, act: restartController },
  { weight: 1, act: toggleStore },
  { weight: 1, act: slowStore },
  { weight: 2, act: takeOver },
  { weight: 4, act: crashController },
  { weight: 2, act: onHost("reboot", reboot) },
  { weight: 2, act: onHost("delay", (agent, ring, dice) => delay(agent, ring, dice)) },
  { weight: 1, act: toggleFolder },
  { weight: 4, act: onHost("restart agent", restartAgent) },
  { weight: 2, act: onHost("kill agent", (agent) => agent.kill()) },
  { weight: 3, act: onHost("start agent", startAgent) },
  { weight: 3, act: onHost("kill keepalived", (agent) => agent.killKeepalived()) },
  { weight: 2, act: onHost("kill nginx", (agent) => agent.killNginx()) },
  { weight: 3, act: onHost("start nginx", (agent) => agent.host.reviveNginx()) },
  { weight: 3, act: onHost("unplug", (agent) => agent.setPlug(false)) },
  { weight: 4, act: onHost("plug", plug) },
  { weight: 2, act: onHost("split", (agent) => agent.split()) },
  { weight: 3, act: onHost("rejoin", (agent) => agent.rejoin()) },
  { weight: 2, act: onHost("power off", (agent) => agent.powerOff()) },
  { weight: 3, act: onHost("power on", powerOn) },
  { weight: 2, act: onHost("reset stream", (agent, ring) => ring.network.reset(agent.name)) },
  { weight: 2, act: onHost("cut stream", (agent, ring) => ring.network.cut(agent.name)) },
  { weight: 3, act: onHost("heal stream", (agent, ring) => ring.network.heal(agent.name)) },
  { weight: 1, act: onHost("take port", (agent) => agent.takenPorts.set("443/tcp", "sshd")) },
  { weight: 2, act: onHost("free port", (agent) => agent.takenPorts.clear()) },
  { weight: 1, act: onHost("fill disk", (agent) => void (agent.isDiskFull = true)) },
  { weight: 2, act: onHost("clear disk", (agent) => void (agent.isDiskFull = false)) },
];

/** Does one random thing, and says what. */
export function doDeed(ring: Ring, dice: Dice): string {
  const total = DEEDS.reduce((sum, { weight }) => sum + weight, 0);
  let left = dice.below(total);
  for (const { weight, act } of DEEDS) {
    left -= weight;
    if (left < 0) return act(ring, dice);
  }
  throw new RangeError("weights add up to the total");
}

/** Mends everything that `doDeed` may have broken; what people want stays. */
export function mendAll(ring: Ring): void {
  ring.faults.rate = 0;
  ring.controller.isStoreLost = false;
  ring.controller.storeMs = STORE_MS;
  ring.controller.crashAt = undefined;
  ring.folder.allow();
  ring.folder.mount();
  for (const agent of ring.agents.values()) {
    agent.takenPorts.clear();
    agent.isDiskFull = false;
    ring.network.delay(agent.name, 0);
    if (agent.isDeaf("split")) agent.rejoin();
    if (!agent.isPowered) agent.powerOn();
    agent.setPlug(true);
    agent.host.reviveNginx();
    agent.start();
  }
  ring.controller.start();
}

function wantService(ring: Ring, dice: Dice): string {
  const name = dice.pick(SERVICES);
  const ports = PORTS.filter(() => dice.random() < 0.5);
  const wanted = ports.length === 0 ? ["tcp/80"] : ports;
  const [service, members] = usualService(name, wanted);
  const extra: string[] = [];
  if (dice.random() < 0.2) extra.push(`fairlead.io/sharing-key: "k${dice.below(2)}"`);
  if (dice.random() < 0.2) extra.push(`fairlead.io/addresses: 192.0.2.${100 + dice.below(8)}`);
  const text = `${service?.text ?? ""}`.replace(
    " }\nspec",
    `${extra.length > 0 ? `, annotations: { ${extra.join(", ")} }` : ""} }\nspec`,
  );
  ring.folder.write(service?.path ?? "", text);
  if (members !== undefined) ring.folder.write(members.path, members.text);
  return `want ${name} ${wanted.join(" ")} ${extra.join(" ")}`.trim();
}

function dropService(ring: Ring, dice: Dice): string {
  const name = dice.pick(SERVICES);
  ring.folder.remove(pathOf("Service", "default", name));
  return `drop ${name}`;
}

function changeMembers(ring: Ring, dice: Dice): string {
  const name = dice.pick(SERVICES);
  const count = dice.below(4);
  const addresses = Array.from({ length: count }, (_, at) => `10.0.${dice.below(9)}.${at + 1}`);
  const { path, text } = usualMembers(name, PORTS, addresses);
  ring.folder.write(path, text);
  return `members of ${name}: ${count}`;
}

function wantPool(ring: Ring, dice: Dice): string {
  const last = 120 + dice.below(4);
  const text = [
    "apiVersion: fairlead.io/v1alpha1",
    "kind: AddressPool",
    "metadata: { name: more }",
    `spec: { addresses: [192.0.2.120-192.0.2.${last}] }`,
  ];
  ring.folder.write(pathOf("AddressPool", "default", "more"), `${text.join("\n")}\n`);
  return `want pool more up to .${last}`;
}

function dropPool(ring: Ring): string {
  ring.folder.remove(pathOf("AddressPool", "default", "more"));
  return "drop pool more";
}

function restartController(ring: Ring): string {
  ring.controller.kill();
  ring.controller.start();
  return "restart controller";
}

/** A second controller takes the epoch while the first one still runs. */
function takeOver(ring: Ring): string {
  ring.controller.takeOver();
  return "take over";
}

function crashController(ring: Ring, dice: Dice): string {
  const point = dice.pick(CRASH_POINTS);
  ring.controller.crashAt = point;
  return `crash controller: ${point}`;
}

function slowStore(ring: Ring, dice: Dice): string {
  ring.controller.storeMs = dice.pick([STORE_MS, 400, 3000]);
  return `store takes ${ring.controller.storeMs} ms`;
}

/** How long a write takes that is not slow, in ms. */
const STORE_MS = 5;

function reboot(agent: RingAgent): void {
  if (agent.isPowered) agent.powerOff();
  agent.powerOn();
}

function delay(agent: RingAgent, ring: Ring, dice: Dice): void {
  ring.network.delay(agent.name, dice.pick([0, 50, 700, 2500]));
}

function toggleStore(ring: Ring): string {
  ring.controller.isStoreLost = !ring.controller.isStoreLost;
  return ring.controller.isStoreLost ? "break store" : "mend store";
}

function toggleFolder(ring: Ring, dice: Dice): string {
  if (dice.random() < 0.5) {
    ring.folder.unmount();
    return "unmount folder";
  }
  ring.folder.mount();
  return "mount folder";
}

function onHost(
  what: string,
  act: (agent: RingAgent, ring: Ring, dice: Dice) => unknown,
): (ring: Ring, dice: Dice) => string {
  return (ring, dice) => {
    const agent = dice.pick([...ring.agents.values()]);
    act(agent, ring, dice);
    return `${what} ${agent.name}`;
  };
}

function restartAgent(agent: RingAgent): void {
  agent.kill();
  startAgent(agent);
}

function startAgent(agent: RingAgent): void {
  if (agent.isPowered) agent.start();
}

function plug(agent: RingAgent): void {
  if (agent.isPowered) agent.setPlug(true);
}

function powerOn(agent: RingAgent): void {
  if (!agent.isPowered) agent.powerOn();
}
