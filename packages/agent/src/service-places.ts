// Which service address each listener has: the one it had before, or the next that was never used.
// It has another one when its members' family changes, or who chooses among its slots: what nginx
// connects to until it has read another file stays as it is beside that. Old generations go on
// connecting from the addresses they know, so an address that became free is not given to another
// listener until the whole network was used once. Pure: a book of places in, a new one out, and its
// text.

import {
  type Address,
  type Family,
  type ListenerResource,
  type MemberSetResource,
  type ResourceName,
  addressFromValue,
  addressValue,
  changedKeys,
  familyOf,
  parseAddress,
  patchMap,
} from "@fairlead/model";
import {
  type ServicePlace,
  type ServiceRange,
  type ServiceRanges,
  SLOT_COUNTS,
  slotCountFor,
  slotFilling,
  turnOf,
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
/** Last word of a listener whose slots the kernel chooses. */
const TURNS = "turns";

/** Listeners that shall have places, by their names. */
export type Placeables = ReadonlyMap<ResourceName, Placeable>;

/**
 * The book in which each of these has a place, unless its members are of both families or of one
 * that the host has not. Who is not among them keeps none. The same book when nothing differs.
 */
export function placeAll(book: PlaceBook, wanted: Placeables, ranges: ServiceRanges): PlaceBook {
  return placeSome(book, wanted, { ranges, names: [...book.places.keys(), ...wanted.keys()] });
}

/**
 * What `placeAll` gives for a book that it made of `before`: only what differs is looked at, and
 * the rest where nginx reloads anyway.
 */
export function placeChanged(
  book: PlaceBook,
  { before, wanted }: { readonly before: Placeables; readonly wanted: Placeables },
  ranges: ServiceRanges,
): PlaceBook {
  return placeSome(book, wanted, { ranges, names: changedKeys(before, wanted) });
}

function placeSome(
  book: PlaceBook,
  wanted: Placeables,
  { ranges, names }: { readonly ranges: ServiceRanges; readonly names: readonly ResourceName[] },
): PlaceBook {
  const giver = createGiver(book);
  const changes = new Map<ResourceName, ServicePlace | undefined>();
  const rangeOf = (name: ResourceName): ServiceRange | undefined => {
    const entry = wanted.get(name);
    const family = entry && familyFor(entry, book.places.get(name));
    return family && ranges[family];
  };
  // A listener that comes or goes is another text of nginx's, and a good moment for more slots.
  const reloads = names.some((name) => book.places.has(name) !== (rangeOf(name) !== undefined));
  for (const name of new Set(reloads ? [...names, ...wanted.keys()] : names)) {
    const entry = wanted.get(name);
    const range = rangeOf(name);
    if (entry === undefined || range === undefined) {
      changes.set(name, undefined);
      continue;
    }
    const before = book.places.get(name);
    const family = familyOf(range.target);
    const takesTurns = turnOf(entry.listener) !== undefined;
    const isKept =
      before !== undefined &&
      familyOf(before.service) === family &&
      (before.takesTurns ?? false) === takesTurns;
    const kept = isKept ? before : undefined;
    const slotsBefore = kept && { count: kept.slots, reloads };
    const slots = slotCountFor(entry.members.members, slotFilling(entry.listener), slotsBefore);
    const service = kept?.service ?? giver.next(range);
    const turns = takesTurns ? ({ takesTurns } as const) : {};
    changes.set(name, kept?.slots === slots ? kept : { service, slots, ...turns });
  }
  const places = patchMap(book.places, changes);
  return places === book.places ? book : { places, given: giver.given };
}

/** Gives addresses that no listener of a book has. */
function createGiver({ places, given }: PlaceBook): {
  readonly given: PlaceBook["given"];
  next(range: ServiceRange): Address;
} {
  const counts = { ...given };
  let used: Set<Address> | undefined;
  return {
    given: counts,
    next: ({ target }) => {
      // Few books need new addresses.
      used ??= new Set([...places.values()].map(({ service }) => service));
      const family = familyOf(target);
      for (;;) {
        const offset = FIRST_OFFSET + BigInt(counts[family] % PLACES_MAX);
        counts[family] += 1;
        const candidate = addressFromValue(family, addressValue(target) + offset);
        if (used.has(candidate)) continue;
        used.add(candidate);
        return candidate;
      }
    },
  };
}

/** The family of all members; of the place before, or of the listener, while there are none. */
function familyFor(
  { listener, members }: Placeable,
  before: ServicePlace | undefined,
): Family | undefined {
  const families = new Set(members.members.map(({ address }) => familyOf(address)));
  if (families.size > 1) return undefined;
  const [only = familyOf(before?.service ?? listener.address)] = families;
  return only;
}

/** The book as a file: a line a listener. */
export function placesToText({ places, given }: PlaceBook): string {
  const lines = [...places].map(([name, { service, slots, takesTurns }]) =>
    [name, service, slots, ...(takesTurns === true ? [TURNS] : [])].join(" "),
  );
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
    const [name = "", serviceText = "", slotsText, chooser] = line.split(" ");
    const service = parseAddress(serviceText);
    const slots = SLOT_COUNTS.find((count) => String(count) === slotsText);
    if (service === undefined || slots === undefined) return undefined;
    if (chooser !== undefined && chooser !== TURNS) return undefined;
    const turns = chooser === TURNS ? ({ takesTurns: true } as const) : {};
    places.set(name as ResourceName, { service, slots, ...turns });
  }
  return { places, given: { ipv4: Number(numbers[1]), ipv6: Number(numbers[2]) } };
}

/** Which listener each service address stands for. */
export function listenersByService(
  places: PlaceBook["places"],
): ReadonlyMap<Address, ResourceName> {
  return new Map([...places].map(([name, { service }]) => [service, name]));
}
