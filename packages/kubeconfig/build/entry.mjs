// What the bundle of client-node has inside: its configuration, the two authenticators that we
// build on, and the agents for proxies, which are read from disk when a proxy is first used.

export { KubeConfig } from "@kubernetes/client-node/dist/config.js";
export { newClusters, newUsers } from "@kubernetes/client-node/dist/config_types.js";
export { ExecAuth } from "@kubernetes/client-node/dist/exec_auth.js";
export { OpenIDConnectAuth } from "@kubernetes/client-node/dist/oidc_auth.js";

export const loadHttpProxyAgents = () => import("hpagent");
export const loadSocksProxyAgent = () => import("socks-proxy-agent");
