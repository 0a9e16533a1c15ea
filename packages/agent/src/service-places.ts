// Which service address each listener has: the one it had before, or the next that was never used.
// Old generations of nginx go on connecting from the addresses they know, so an address that became
// free is not given to another listener until the whole network was used once. Pure: a book of
// places in, a new one out, and its text.

import {
  type Address,
  type Family,
  type ListenerResource,
  type MemberSetResource,
  type ResourceName,
  addressFromValue,
  addressValue,
  familyOf,
  parseAddress,
} from "@fairlead/model";
import {
  type ServicePlace,
  type ServiceRanges,
  SLOT_COUNTS,
  slotCountFor,
  slotFilling,
} from "@fairlead/render";

/** Places of one host, and where to go on. Never changed in place. */
export interface PlaceBook {
  /** By the listener's name. */
  readonly places: ReadonlyMap<ResourceName, ServicePlace>;
  /** How many addresses of each family were given so far. */
  readonly given: Readonly<Record<Family, number>>;
}

/** A listener with its members. */
export interface Placeable {
  readonly listener: ListenerResource;
  readonly members: MemberSetResource;
}

/** Nothing was placed yet. */
export const NO_PLACES: PlaceBook = { places: new Map(), given: { ipv4: 0, ipv6: 0 } };

/** The target and what lies near it stay free of listeners. */
const FIRST_OFFSET = 255n;
/** Addresses of a network that are used before the first is used again. */
const PLACES_MAX = 65_536;
const HEADER = "# fairlead service places 1";

/**
 * The book in which each of these has a place, unless its members are of both families or of one
 * that the host has not. Who is not among them keeps none. The same book when nothing differs.
 */
export function placeAll(
  book: PlaceBook,
  wanted: readonly Placeable[],
  ranges: ServiceRanges,
): PlaceBook {
  const { places, given } = book;
  const next = new Map<ResourceName, ServicePlace>();
  let kept = 0;
  const counts = { ...given };
  const used = new Set([...places.values()].map(({ service }) => service));
  for (const { listener, members } of wanted) {
    const before = places.get(listener.name);
    const family = familyFor(listener, members, before);
    const range = family === undefined ? undefined : ranges[family];
    if (family === undefined || range === undefined) continue;
    const isKept = before !== undefined && familyOf(before.service) === family;
    let service = isKept ? before.service : undefined;
    while (service === undefined) {
      const offset = FIRST_OFFSET + BigInt(counts[family] % PLACES_MAX);
      counts[family] += 1;
      const candidate = addressFromValue(family, addressValue(range.target) + offset);
      if (!used.has(candidate)) service = candidate;
    }
    used.add(service);
    const least = isKept ? before.slots : undefined;
    const slots = slotCountFor(members.members, slotFilling(listener), least);
    if (isKept && before.slots === slots) kept += 1;
    next.set(listener.name, { service, slots });
  }
  const isSame = kept === next.size && kept === places.size;
  return isSame ? book : { places: next, given: counts };
}

/** The family of all members; of the place before, or of the listener, while there are none. */
function familyFor(
  listener: ListenerResource,
  { members }: MemberSetResource,
  before: ServicePlace | undefined,
): Family | undefined {
  const families = new Set(members.map(({ address }) => familyOf(address)));
  if (families.size > 1) return undefined;
  const [only = familyOf(before?.service ?? listener.address)] = families;
  return only;
}

/** The book as a file: a line a listener. */
export function placesToText({ places, given }: PlaceBook): string {
  const lines = [...places].map(([name, { service, slots }]) => `${name} ${service} ${slots}`);
  return [HEADER, `given ${given.ipv4} ${given.ipv6}`, ...lines, ""].join("\n");
}

/** The book of a file; undefined when it does not read. */
export function placesFromText(text: string): PlaceBook | undefined {
  const [header, counts = "", ...lines] = text.split("\n");
  const numbers = /^given (\d{1,15}) (\d{1,15})$/.exec(counts);
  if (header !== HEADER || numbers === null) return undefined;
  const places = new Map<ResourceName, ServicePlace>();
  for (const line of lines) {
    if (line === "") continue;
    const [name = "", serviceText = "", slotsText] = line.split(" ");
    const service = parseAddress(serviceText);
    const slots = SLOT_COUNTS.find((count) => String(count) === slotsText);
    if (service === undefined || slots === undefined) return undefined;
    places.set(name as ResourceName, { service, slots });
  }
  return { places, given: { ipv4: Number(numbers[1]), ipv6: Number(numbers[2]) } };
}

/** Which listener each service address stands for. */
export function listenersByService(
  places: PlaceBook["places"],
): ReadonlyMap<Address, ResourceName> {
  return new Map([...places].map(([name, { service }]) => [service, name]));
}
