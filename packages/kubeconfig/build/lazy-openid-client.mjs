// Stands in the bundle for openid-client: reads it when a token has to be renewed, which most
// programs never do. It also mends what client-node 2.0.1 gives it: the issuer as text where an
// URL is wanted, no client secret, without which a confidential client is refused, and a fetch
// for providers with an authority of their own that neither takes a form nor gives a Response.

/** Names the option as client-node knows it; the real symbol is known only after loading. */
export const customFetch = Symbol("customFetch");

/** @typedef {Readonly<Record<symbol, import("openid-client").CustomFetch>>} Options */

/**
 * @param {string} issuer
 * @param {{ readonly id: string; readonly secret: string | undefined }} client
 * @param {readonly (Options | undefined)[]} rest metadata, authentication and options; the first
 *   two are never given
 * @returns {Promise<import("openid-client").Configuration>}
 */
export async function discovery(issuer, client, ...rest) {
  const oidc = await import("openid-client");
  const fetch = rest[2]?.[customFetch];
  const options = fetch === undefined ? undefined : { [oidc.customFetch]: mended(fetch) };
  return oidc.discovery(new URL(issuer), client.id, client.secret, undefined, options);
}

/**
 * @param {import("openid-client").CustomFetch} fetch
 * @returns {import("openid-client").CustomFetch}
 */
function mended(fetch) {
  return async (url, { body, ...options }) => {
    const form = body instanceof URLSearchParams ? body.toString() : body;
    const { status, headers, ...answer } = await fetch(url, { ...options, body: form });
    return new Response(await answer.text(), { status, headers });
  };
}

/**
 * @param {import("openid-client").Configuration} configuration
 * @param {string} token
 * @returns {Promise<unknown>} the new tokens
 */
export async function refreshTokenGrant(configuration, token) {
  const oidc = await import("openid-client");
  return oidc.refreshTokenGrant(configuration, token);
}
