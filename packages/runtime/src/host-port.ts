// Reads and writes the place where a program listens or calls: a host and a port. Given text from
// a setting. It resolves no names and opens nothing.

import { isIP, isIPv6 } from "node:net";

/** A host (address or name, without brackets) and a port. */
export interface HostPort {
  /**
   * An IP address or a host name. To listen, "" and "::" are all addresses, "0.0.0.0" those of
   * IPv4; only "" makes do with IPv4 where the kernel has no IPv6.
   */
  readonly host: string;
  /** 0 to 65535; 0 lets the kernel choose when listening. */
  readonly port: number;
}

/** How the forms read in messages. */
export const HOST_PORT_FORMS = "HOST:PORT, [IPV6]:PORT, :PORT or PORT";

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?$/iu;

/**
 * Reads "7704", ":7704", "0.0.0.0:7704", "[::1]:7704" or "name:7704". Without a host, `hostDefault`
 * is taken (default "", all addresses). Undefined when the text is none of these.
 */
export function parseHostPort(text: string, hostDefault = ""): HostPort | undefined {
  const match = /^(?:\[(?<six>[^\]]*)\]:|(?<host>[^:[\]]*):)?(?<port>\d{1,5})$/u.exec(text);
  const groups = match?.groups;
  if (groups === undefined) return undefined;
  const port = Number(groups["port"]);
  if (port > 65_535) return undefined;
  const six = groups["six"];
  if (six !== undefined) return isIPv6(six) ? { host: six, port } : undefined;
  const host = groups["host"] ?? "";
  if (host === "") return { host: hostDefault, port };
  return isHost(host) ? { host, port } : undefined;
}

function isHost(host: string): boolean {
  if (isIP(host) !== 0) return true;
  // Digits and dots alone are a mistyped address, not a name.
  return HOST_NAME.test(host) && !/^[0-9.]+$/u.test(host);
}

/** Writes host and port so that parseHostPort reads the same back. */
export function formatHostPort(at: HostPort): string {
  return isIPv6(at.host) ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`;
}

/** Whether the host is of the machine itself: 127.0.0.0/8, ::1 or "localhost". */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
