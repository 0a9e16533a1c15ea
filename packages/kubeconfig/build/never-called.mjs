// Stands in the bundle for what client-node's configuration imports and we never call: the API
// with its 900 models, other HTTP clients, another YAML parser, authenticators that Kubernetes gave
// up. A name that client-node imports and that is missing here fails the build, as it should.

/** @returns {never} */
function neverCalled() {
  throw new Error("this part of @kubernetes/client-node is not in the bundle");
}

class NeverMade {
  constructor() {
    neverCalled();
  }
}

class NeverAsked {
  isAuthProvider() {
    return false;
  }
}

// undici
export { NeverMade as Agent, NeverMade as ProxyAgent };
// socks, socks-proxy-agent and hpagent, as config.js imports them
export { NeverMade as SocksProxyAgent, NeverMade as HttpProxyAgent, NeverMade as HttpsProxyAgent };
export const SocksClient = { createConnection: neverCalled };
// js-yaml
export { neverCalled as load };
// ./gen/index.js and ./middleware.js
export { neverCalled as createConfiguration, neverCalled as setHeaderMiddleware };
export { NeverMade as ServerConfiguration };
// ./azure_auth.js, ./gcp_auth.js and ./file_auth.js
export { NeverAsked as AzureAuth, NeverAsked as GoogleCloudPlatformAuth, NeverAsked as FileAuth };
