// How the place of a listener is written wherever places are compared: endpoint and protocol.
// Pure.

import { type Address, familyOf } from "@fairlead/model";

/** `192.0.2.10:80/tcp` or `[2001:db8::1]:53/udp`. */
export type ListenPlace = `${string}/${"tcp" | "udp"}`;

/** The place of an endpoint that is written as nginx writes it. */
export function listenPlace(endpoint: string, protocol: "tcp" | "udp"): ListenPlace {
  return `${endpoint}/${protocol}`;
}

/** The place of a listener. */
export function placeOf(listener: {
  readonly address: Address;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}): ListenPlace {
  const { address, port, protocol } = listener;
  const host = familyOf(address) === "ipv4" ? address : `[${address}]`;
  return listenPlace(`${host}:${port}`, protocol);
}
