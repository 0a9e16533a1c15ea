// Which devices have no wire: those with a radio, as sysfs shows it. Given names.

import { access } from "node:fs/promises";
import type { DeviceName } from "@fairlead/model";

/** Those of the devices that have a radio; a device that sysfs does not show has none. */
export async function findWireless(
  names: readonly DeviceName[],
  sysfs = "/sys/class/net",
): Promise<ReadonlySet<DeviceName>> {
  const wireless = new Set<DeviceName>();
  for (const name of names) {
    const isWireless = await access(`${sysfs}/${name}/phy80211`).then(
      () => true,
      () => false,
    );
    if (isWireless) wireless.add(name);
  }
  return wireless;
}
