// Reads the addresses of an apiserver and of a proxy. Given texts of a kubeconfig. Messages show
// neither, because people write passwords into both.

import { accessError } from "./access-error.ts";

/** The schemes of proxies that there are agents for. */
const PROXY_SCHEME = /^(https?|socks|socks4a?|socks5h?):$/u;

/** The server without a slash at the end. Throws MALFORMED. */
export function serverOf(text: string | undefined, where: string): string {
  if (text === undefined) throw accessError("MALFORMED", `${where} names no server`);
  const url = URL.parse(text);
  const bad = (why: string): Error => accessError("MALFORMED", `${where}: its server ${why}`);
  if (url === null || !/^https?:$/u.test(url.protocol)) {
    throw bad("is no URL with http:// or https://");
  }
  if (url.username !== "" || url.password !== "") {
    throw bad("holds a user or a password; those belong to a user of the kubeconfig");
  }
  if (url.search !== "" || url.hash !== "") throw bad("holds a query or a fragment");
  return `${url.origin}${url.pathname.replace(/\/+$/u, "")}`;
}

/** Throws MALFORMED for a proxy that cannot be used. */
export function checkProxyUrl(text: string | undefined, where: string): void {
  if (text === undefined) return;
  const url = URL.parse(text);
  if (url !== null && PROXY_SCHEME.test(url.protocol) && url.hostname !== "") return;
  const schemes = "http://, https://, socks4:// or socks5://";
  throw accessError("MALFORMED", `${where}: its proxy-url is no URL with ${schemes}`);
}

/**
 * The variable by which other programs would find a proxy to this server, where it is set. Here a
 * proxy is named by the kubeconfig alone.
 */
export function proxyVariable(server: string, env: NodeJS.ProcessEnv): string | undefined {
  const name = server.startsWith("https:") ? "HTTPS_PROXY" : "HTTP_PROXY";
  return [name, name.toLowerCase()].find((one) => (env[one] ?? "") !== "");
}
