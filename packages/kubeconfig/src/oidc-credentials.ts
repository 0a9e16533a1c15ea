// Credentials of an identity provider (auth-provider oidc). client-node reads the token's end and
// has it renewed; what version 2.0.1 gets wrong is put right here: an end that is taken for a
// duration, which renewed with every request, and a refresh token that is lost when the provider
// keeps it. Renewed tokens live in memory: the kubeconfig is never written.

import type { RequestOptions } from "node:https";
import { type Clock, withDeadline } from "@fairlead/runtime";
import { OpenIDConnectAuth, type User } from "#client-node";
import { accessError } from "./access-error.ts";
import { type Fields, isFields } from "./parse-kubeconfig.ts";

const KEPT = ["id-token", "refresh-token"];
const RENEW_MS_MAX = 30_000;

/** Authenticates by an identity provider. */
export class OidcCredentials extends OpenIDConnectAuth {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  /** Rejects with CREDENTIALS. */
  override async applyAuthentication(user: User, options: RequestOptions): Promise<void> {
    const config = configOf(user);
    const before = KEPT.map((key) => [key, config[key]] as const);
    let failure = "";
    try {
      const applied = super.applyAuthentication(user, options);
      await withDeadline(applied, RENEW_MS_MAX, this.#clock, "the renewal");
    } catch (error) {
      failure = `: the provider gave none (${codesOf(error)})`;
    } finally {
      this.currentTokenExpiration = 0;
      for (const [key, value] of before) config[key] ??= value;
    }
    if (options.headers !== undefined && "Authorization" in options.headers) return;
    const needs = "id-token, refresh-token, client-id and idp-issuer-url";
    const todo = failure === "" ? `: it needs ${needs}` : `${failure}; log in anew`;
    throw accessError("CREDENTIALS", `user "${user.name}" has no valid OIDC token${todo}`, true);
  }

  /** Hands the secret on to build/lazy-openid-client.mjs, together with the id. */
  protected override getClient(user: User): Promise<unknown> {
    const config = configOf(user);
    const secret = config["client-secret"] === "" ? undefined : config["client-secret"];
    const client = { id: config["client-id"], secret };
    return super.getClient({ authProvider: { config: { ...config, "client-id": client } } });
  }
}

/** The provider's own fields, which client-node changes in place. */
function configOf(user: User): Record<string, unknown> {
  const provider: Fields = isFields(user.authProvider) ? user.authProvider : {};
  const config = provider["config"];
  if (isFields(config)) return config;
  throw accessError("CREDENTIALS", `user "${user.name}": auth-provider has no config`);
}

/** What is safe to show: messages and causes hold whole answers of the provider, codes do not. */
function codesOf(error: unknown): string {
  const codes: string[] = [];
  for (let left: unknown = error; left instanceof Error; left = left.cause) {
    const ofOauth = "error" in left ? left.error : undefined;
    for (const code of ["code" in left ? left.code : undefined, ofOauth]) {
      if (typeof code === "string" && /^\w{1,60}$/u.test(code)) codes.push(code);
    }
  }
  return codes.length === 0 ? "no reason given" : codes.slice(0, 3).join(", ");
}
