// Which places a rendered nginx.conf listens on. Pure: text in, places out. The generation's own
// probe socket is none of them.

import { type ListenPlace, listenPlace } from "../listen-place.ts";

const LISTEN = /\blisten (\S+?)((?: [a-z_]+)*);/g;

/** The places of a text. */
export function listensOf(text: string): ReadonlySet<ListenPlace> {
  const places = new Set<ListenPlace>();
  for (const [, endpoint = "", flags = ""] of text.matchAll(LISTEN)) {
    if (endpoint.startsWith("unix:")) continue;
    const protocol = flags.split(" ").includes("udp") ? "udp" : "tcp";
    places.add(listenPlace(endpoint, protocol));
  }
  return places;
}
