// What a scenario can do to the IPAM that external pools take their addresses from.

import { parseAddress, present, type Address } from "@fairlead/model";

import type { StepKind } from "./steps.ts";

/** Steps of the IPAM. */
export const IPAM_STEPS: readonly StepKind[] = [
  {
    form: "ipam has ADDRESSES...",
    run: ({ ring, args }) => void (ring.ipam.addresses = args.map(addressOf)),
  },
  {
    form: "ipam takes TIME ms",
    run: ({ ring, args: [ms = ""] }) => void (ring.ipam.wayMs = Number(ms)),
  },
  { form: "ipam goes away", run: ({ ring }) => void (ring.ipam.isAway = true) },
  { form: "ipam comes back", run: ({ ring }) => void (ring.ipam.isAway = false) },
  { form: "restart ipam", run: ({ ring }) => ring.ipam.restart() },
  {
    form: "ipam forgets ADDRESS",
    run: ({ ring, args: [address = ""] }) => ring.ipam.takeBack(addressOf(address)),
  },
  {
    form: "ipam gives ADDRESS to OWNER",
    run: ({ ring, args: [address = "", owner = ""] }) =>
      ring.ipam.takeBack(addressOf(address), owner),
  },
];

function addressOf(text: string): Address {
  return present(parseAddress(text), `${text} is an address`);
}
