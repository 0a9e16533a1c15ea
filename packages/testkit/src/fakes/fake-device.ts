// Addresses that were put on a fake host's device over netlink: each goes when its time is over and
// nobody has put it there again. Given a clock.

import type { AddedAddress, KernelAddress } from "@fairlead/agent";
import { familyBits, familyOf } from "@fairlead/model";
import type { Clock } from "@fairlead/runtime";

import { address as addressOf, device as deviceName } from "../node-plan-builders.ts";

/** The addresses of one device. */
export interface FakeDevice {
  put(address: AddedAddress): void;
  /** Whether it was there. */
  remove(address: string): boolean;
  has(address: string): boolean;
  clear(): void;
  /** What is there now, with what is left of its time. */
  addresses(): readonly KernelAddress[];
}

/** Makes an empty device; `onExpiry` is called when an address has gone by itself. */
export function createFakeDevice(clock: Clock, onExpiry: () => void): FakeDevice {
  const added = new Map<string, { readonly address: AddedAddress; readonly endMs: number }>();
  const expire = (text: string): void => {
    const entry = added.get(text);
    if (entry === undefined || entry.endMs > clock.nowMs()) return;
    added.delete(text);
    onExpiry();
  };
  return {
    put: (address) => {
      const { address: text, validMs } = address;
      added.set(text, { address, endMs: clock.nowMs() + (validMs ?? Number.POSITIVE_INFINITY) });
      if (validMs !== undefined) clock.setTimer(validMs, () => expire(text));
    },
    remove: (text) => added.delete(text),
    has: (text) => added.has(text),
    clear: () => added.clear(),
    addresses: () =>
      Array.from(added.values(), ({ address, endMs }) => {
        const { address: text, link, prefixLength } = address;
        const leftMs = endMs - clock.nowMs();
        const lifetime = Number.isFinite(leftMs) ? { validMs: leftMs } : {};
        return { address: text, link, prefixLength, ...lifetime };
      }),
  };
}

/** What a device has, with addresses that others than netlink put there; each once. */
export function withHeld(device: FakeDevice, held: readonly string[]): readonly KernelAddress[] {
  const plain = Array.from(new Set(held), (text): KernelAddress => ({
    address: addressOf(text),
    prefixLength: familyBits(familyOf(addressOf(text))),
    link: deviceName("eth0"),
  }));
  return [...plain.filter((one) => !device.has(one.address)), ...device.addresses()];
}
