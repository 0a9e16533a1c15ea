// A host that behaves: its kernel cannot lose what it does not have, its nginx serves a generation
// only after an accepted file, its keepalived holds what its segment lets it hold. It implements
// every port of the agent and prints as lines. Failures are injected by `failing`.

import {
  type Address,
  type DeviceName,
  type Link,
  parseDeviceName,
  present,
} from "@fairlead/model";
import { EdgeError } from "@fairlead/runtime";
import type {
  Announcer,
  KeepalivedDaemon,
  Kernel,
  KernelAddress,
  MemberTable,
  NginxDaemon,
  PlanFile,
  PortProbe,
} from "@fairlead/agent";

import { createFakeDevice, type FakeDevice, withHeld } from "./fake-device.ts";
import { createFakeGuard, type FakeGuard } from "./fake-guard.ts";
import { createFakeLedger, type FakeLedger } from "./fake-ledger.ts";
import { createFakeMemberTable, type FakeMemberTable } from "./fake-member-table.ts";
import { createFakeNginx, type FakeNginx } from "./fake-nginx.ts";
import { createFakePlanFile } from "./fake-plan-file.ts";
import type { FakeFailures } from "./fake-failures.ts";
import type { FakeHost, FakeHostOptions } from "./fake-host-types.ts";
import type { FakeSegment } from "./fake-segment.ts";
import { createFakeOwnAddresses, type FakeOwnAddresses } from "./fake-own-addresses.ts";
import { createFakeSenses, fakeMac, type FakeSenses } from "./fake-senses.ts";
import { countVips, vipsIn } from "./keepalived-text.ts";

export type { FakeHost, FakeHostOptions } from "./fake-host-types.ts";

/** Makes a host with one device `eth0` in a segment. */
export function createFakeHost(options: FakeHostOptions): FakeHost {
  const host = new Host(options);
  options.segment.join(host);
  return host;
}

const DEVICE: DeviceName = present(parseDeviceName("eth0"), "eth0 is a device");

class Host implements FakeHost {
  readonly name: string;
  readonly #segment: FakeSegment;
  readonly #failures: FakeFailures;
  readonly #own: FakeOwnAddresses;
  readonly #isPrimary: boolean;
  readonly #held = new Map<number, readonly string[]>();
  readonly #foreign = new Set<string>();
  readonly #device: FakeDevice;
  readonly #listeners = new Set<() => void>();
  readonly #nginx: FakeNginx;
  readonly #nginxUdp: FakeNginx;
  readonly nginx: NginxDaemon;
  readonly memberTable: FakeMemberTable;
  readonly members: MemberTable;
  readonly nginxUdp: NginxDaemon;
  readonly downFiles: FakeHost["downFiles"];
  readonly segment: FakeSenses["segment"];
  readonly sight: FakeSenses["sight"];
  readonly vrrp: FakeSenses["vrrp"];
  readonly mac: string;
  readonly own: Address;
  #linkUp = true;
  #keepalivedText = "";
  #keepalivedState: "stopped" | "runs" | "killed" = "stopped";

  constructor(options: FakeHostOptions) {
    const { name, prefix, more = [], segment, clock, isPrimary = true, failures } = options;
    this.#isPrimary = isPrimary;
    this.name = name;
    this.#segment = segment;
    this.#device = createFakeDevice(clock, () => this.#notify());
    this.#failures = failures ?? { failing: () => false };
    const instance = (): FakeNginx =>
      createFakeNginx({
        attempt: (call) => this.#fail(call),
        refuses: (text) => this.#failures.nginxRefuses?.(text),
        onTurn: () => segment.changed(this),
      });
    this.#nginx = instance();
    this.#nginxUdp = instance();
    this.nginx = this.#nginx.daemon;
    this.memberTable = createFakeMemberTable((call) => this.#fail(call));
    this.members = this.memberTable.table;
    this.nginxUdp = this.#nginxUdp.daemon;
    this.downFiles = { nginx: this.#nginx, nginxUdp: this.#nginxUdp };
    this.#own = createFakeOwnAddresses([prefix, ...more], DEVICE);
    this.own = this.#own.first;
    this.mac = fakeMac(this.own);
    const senses = createFakeSenses({
      host: this,
      segment,
      clock,
      attempt: (call) => this.#fail(call),
      isLinkUp: () => this.#linkUp,
    });
    ({ segment: this.segment, sight: this.sight, vrrp: this.vrrp } = senses);
  }

  readonly kernel: Kernel = {
    view: async () => {
      this.#fail("kernel.view");
      const addresses = this.#addresses();
      const link: Link = {
        name: DEVICE,
        mac: this.mac,
        up: this.#linkUp,
        primary: this.#isPrimary,
        prefixes: this.#own.prefixesWith(addresses),
      };
      return { links: [link], addresses: [...this.#own.addresses, ...addresses] };
    },
    lastView: () => this.kernel.view(),
    putAddress: async (address) => {
      this.#fail("kernel.putAddress");
      this.#device.put(address);
      this.#notify();
    },
    routeLength: async ({ address }) => this.#own.lengthFor(address),
    removeAddress: async ({ address }) => {
      this.#fail("kernel.removeAddress");
      const wasForeign = this.#foreign.delete(address);
      let wasHeld = this.#device.remove(address);
      for (const [routerId, held] of this.#held) {
        wasHeld ||= held.includes(address);
        this.#held.set(
          routerId,
          held.filter((entry) => entry !== address),
        );
      }
      this.#notify();
      return wasForeign || wasHeld;
    },
    onChange: (listener) => {
      this.#listeners.add(listener);
      return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
    },
    [Symbol.asyncDispose]: async () => this.#listeners.clear(),
  };

  readonly keepalived: KeepalivedDaemon = {
    apply: async (text, vipCount) => {
      this.#fail("keepalived.apply");
      const isSame = text === this.#keepalivedText && this.#keepalivedState === "runs";
      if (countVips(text) !== vipCount) {
        return { kind: "refused", remark: { reason: "ConfigRejected", detail: "wrong VIP count" } };
      }
      if (this.#keepalivedState === "killed") this.#held.clear();
      this.#keepalivedText = text;
      this.#keepalivedState = "runs";
      this.#segment.changed(this);
      this.#notify();
      return { kind: "applied", reloaded: !isSame };
    },
    alive: async () => this.#keepalivedState === "runs",
    carries: async () =>
      this.#keepalivedState === "runs" ? vipsIn(this.#keepalivedText, DEVICE) : [],
    stop: async () => {
      this.#keepalivedState = "stopped";
      this.#segment.changed(this);
      this.#notify();
    },
  };

  readonly portProbe: PortProbe = {
    probe: async ({ address, protocol, port }) =>
      this.#failures.portTaken?.(`${address}:${port}/${protocol}`),
  };

  readonly guard: FakeGuard = createFakeGuard({
    isFailing: () => this.#failures.failing("guard.guard"),
    present: () =>
      this.#addresses()
        .map(({ address }): string => address)
        .filter((text) => !text.startsWith("169.254.") && !this.#foreign.has(text)),
  });

  readonly nginxText = (): string => this.#nginx.text();
  readonly announced: string[] = [];
  readonly announcer: Pick<Announcer, "announce"> = {
    announce: (places) => void this.announced.push(...places.map(({ address }) => address)),
  };

  readonly ledger: FakeLedger = createFakeLedger((call) => this.#fail(call));

  readonly planFile: PlanFile = createFakePlanFile((call) => this.#fail(call));

  setLink(up: boolean): void {
    this.#linkUp = up;
    this.#segment.changed(this);
    this.#notify();
  }

  killKeepalived(): void {
    if (this.#keepalivedState !== "runs") return;
    this.#keepalivedState = "killed";
    this.#segment.changed(this);
  }

  killNginx(): void {
    this.#nginx.kill();
    this.#nginxUdp.kill();
  }

  reviveNginx(): void {
    this.#nginx.revive();
    this.#nginxUdp.revive();
  }

  reviveKeepalived(): void {
    if (this.#keepalivedState !== "killed") return;
    this.#held.clear();
    this.#keepalivedState = "runs";
    this.#segment.changed(this);
    this.#notify();
  }

  powerOff(): void {
    this.ledger.reboot();
    this.#linkUp = false;
    this.#keepalivedState = "stopped";
    this.#nginx.powerOff();
    this.memberTable.powerOff();
    this.#nginxUdp.powerOff();
    this.#segment.changed(this);
    this.#held.clear();
    this.#device.clear();
    this.guard.clear();
    this.#keepalivedText = "";
    this.#notify();
  }

  addForeign(address: string): void {
    this.#foreign.add(address);
    this.#notify();
  }

  takeAway(address: string): void {
    this.#foreign.delete(address);
    this.#device.remove(address);
    this.#notify();
  }

  answersFor(address: Address): boolean {
    if (!this.#linkUp) return false;
    return [...this.#own.addresses, ...this.#addresses()].some((one) => one.address === address);
  }

  isSpeaking(): boolean {
    return this.#linkUp && this.#keepalivedState === "runs";
  }

  keepsAddresses(): boolean {
    return this.#keepalivedState === "killed";
  }

  keepalivedText(): string {
    return this.#keepalivedText;
  }

  setHeld(routerId: number, addresses: readonly string[] | undefined): void {
    const before = this.#held.get(routerId) ?? [];
    if (addresses === undefined || before.join() === addresses.join()) return;
    this.#held.set(routerId, addresses);
    this.#notify();
  }

  lines(): readonly string[] {
    const addresses = this.#addresses().filter(({ address }) => !address.startsWith("169.254."));
    const listens = [...this.#nginx.listens(), ...this.#nginxUdp.listens()];
    return [
      ...addresses.map(({ address }) => `address ${address}`),
      ...listens.map((listen) => `listen ${listen}`),
    ].toSorted();
  }

  #addresses(): readonly KernelAddress[] {
    return withHeld(this.#device, [...this.#held.values()].flat().concat(...this.#foreign));
  }

  #notify(): void {
    this.guard.look();
    for (const listener of this.#listeners) listener();
  }

  #fail(call: string): void {
    if (!this.#failures.failing(call)) return;
    throw new EdgeError({ code: "INJECTED", message: `${call} fails now`, retryable: true });
  }
}
