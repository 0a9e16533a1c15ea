// Makes the one agent of an access, whose connections are kept and used again. Given the server and
// its proxy. Agents for proxies are read from disk when there is a proxy.

import type { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP } from "node:net";
import type { PeerCertificate } from "node:tls";
import { nodeHttp, nodeTls } from "@fairlead/runtime";
import { loadHttpProxyAgents, loadSocksProxyAgent } from "#client-node";

/** Where connections go. */
export interface AgentOptions {
  readonly server: string;
  /** A checked URL. Undefined: no proxy. */
  readonly proxyUrl: string | undefined;
  /** The name that the server's certificate is checked for. Undefined: that in `server`. */
  readonly serverName: string | undefined;
}

const KEPT = {
  keepAlive: true,
  // As client-go does it: below the idle time after which load balancers forget a connection.
  keepAliveMsecs: 30_000,
  maxFreeSockets: 16,
};

/**
 * Makes the agent. Certificates are given with each request: the agent keeps connections with
 * different ones apart, so a rotated certificate is used by the next connection.
 */
export async function createAgent(options: AgentOptions): Promise<HttpAgent> {
  const { server, proxyUrl } = options;
  const isHttps = server.startsWith("https:");
  if (proxyUrl === undefined) return isHttps ? new HttpsAgent(KEPT) : new nodeHttp.Agent(KEPT);
  if (proxyUrl.startsWith("socks")) {
    const { SocksProxyAgent } = await loadSocksProxyAgent();
    return new SocksProxyAgent(proxyUrl, { ...KEPT, ...identityOf(options) });
  }
  const { HttpProxyAgent, HttpsProxyAgent } = await loadHttpProxyAgents();
  const withProxy = { ...KEPT, proxy: proxyUrl };
  return isHttps ? new HttpsProxyAgent(withProxy) : new HttpProxyAgent(withProxy);
}

/** The SOCKS agent would look for "localhost" in the certificate of a server that is an address. */
function identityOf({ server, serverName }: AgentOptions): SocksIdentity {
  const host = new URL(server).hostname.replace(/^\[|\]$/gu, "");
  if (serverName !== undefined || isIP(host) === 0) return {};
  return {
    checkServerIdentity: (_, certificate) => nodeTls.checkServerIdentity(host, certificate),
  };
}

interface SocksIdentity {
  readonly checkServerIdentity?: (name: string, certificate: PeerCertificate) => Error | undefined;
}

/** Ends connections that nobody uses now; those in use go on. */
export function closeIdle(agent: HttpAgent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}
