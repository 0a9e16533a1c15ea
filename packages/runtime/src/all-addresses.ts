// Listening on all addresses of a host, IPv4 and IPv6 by one socket: what a place without a host
// means. Given the place and how to listen; it knows no kind of server.

import type { HostPort } from "./host-port.ts";

/** What a kernel without IPv6 says of a socket or an address of IPv6. */
const WITHOUT_IPV6: ReadonlySet<unknown> = new Set(["EAFNOSUPPORT", "EADDRNOTAVAIL"]);

/**
 * Listens at a place. One without a host is `::`, which takes IPv4 as well, and `0.0.0.0` where the
 * kernel has no IPv6. A port that is taken in one family alone is taken: half of what was asked for
 * would look like all of it.
 * @param listen rejects with an error that has the errno's name as `code`.
 */
export async function onAllAddresses<T>(
  at: HostPort,
  listen: (at: HostPort) => Promise<T>,
): Promise<T> {
  if (at.host !== "") return await listen(at);
  try {
    return await listen({ host: "::", port: at.port });
  } catch (error) {
    const errno = error instanceof Error && "code" in error ? error.code : undefined;
    if (!WITHOUT_IPV6.has(errno)) throw error;
    return await listen({ host: "0.0.0.0", port: at.port });
  }
}
