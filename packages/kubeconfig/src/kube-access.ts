// One way to reach one apiserver: client-node applies the context to a request, this file decides
// when to look at files and plugins again. Given a checked configuration. All requests of three
// seconds share one look, also a failed one, so that neither a thousand requests nor a thousand
// retries read a thousand files or start a thousand programs.

import type { Agent, OutgoingHttpHeaders } from "node:http";
import type { RequestOptions } from "node:https";
import type { Clock } from "@fairlead/runtime";
import { type Authenticator, KubeConfig } from "#client-node";
import type { AccessConfig } from "./access-config.ts";
import { accessError } from "./access-error.ts";
import { closeIdle, createAgent } from "./agent.ts";
import { ExecCredentials } from "./exec-credentials.ts";
import { OidcCredentials } from "./oidc-credentials.ts";
import { createPemMaterial } from "./pem-material.ts";
import { requestParts, type RequestParts, withMaterial } from "./request-parts.ts";

/** Options of one request, with its headers by name. */
export interface AccessOptions extends Omit<RequestOptions, "headers"> {
  readonly headers: OutgoingHttpHeaders;
}

/** How a program reaches an apiserver. */
export interface KubeAccess {
  /** Scheme, host, port and path prefix, without a slash at the end: https://10.0.0.1:6443 */
  readonly server: string;
  /** The context's name, for people; "in-cluster" inside one. */
  readonly context: string;
  /**
   * Options of one request for node:https or node:http: agent, certificates, and headers with fresh
   * credentials. The headers are the caller's own to add to. Rejects with
   * EdgeError<KubeAccessErrorCode>, code CREDENTIALS when a plugin failed, a token file is missing
   * or a certificate has expired.
   */
  requestOptions(): Promise<AccessOptions>;
  /**
   * The server did not take the credentials of a request (401): those that a plugin gave are kept
   * no longer. A server that always answers so starts a plugin once in three seconds.
   */
  refused(): void;
  /** `HTTPS_PROXY`, where it is set beside a kubeconfig without proxy-url: it is not used. */
  readonly unusedProxy?: string | undefined;
  /** Ends all connections and a plugin that runs. Requests after it are refused. */
  close(): void;
}

/** What an access is made from. */
export interface KubeAccessOptions {
  readonly config: AccessConfig;
  /** The environment of credential plugins. */
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

/** Files and plugins are looked at again after this long. */
const LOOK_MS = 3_000;

/** client-node's configuration with one agent, ours, and with authenticators that are bounded. */
class BundledConfig extends KubeConfig {
  readonly #agent: Agent;

  constructor(agent: Agent, authenticators: readonly Authenticator[]) {
    super();
    this.#agent = agent;
    this.authenticators = authenticators;
  }

  protected override createAgent(): Agent {
    return this.#agent;
  }
}

/** One look at files and plugins: what it gave, and until when it is used. */
interface Look {
  readonly options: Promise<RequestParts>;
  /** Monotonic; infinite while the look is going on. */
  untilMs: number;
}

/** Makes the access. Throws EdgeError<KubeAccessErrorCode> when certificates are bad already. */
export function createKubeAccess(options: KubeAccessOptions): KubeAccess {
  const { config, env, clock } = options;
  const wallMs = (): number => clock.wallMs();
  const closing = new AbortController();
  const { signal } = closing;
  const exec = config.exec && new ExecCredentials({ exec: config.exec, env, wallMs, signal });
  const authenticators = [...(exec === undefined ? [] : [exec]), new OidcCredentials(clock)];
  const pem = createPemMaterial(config.pem, wallMs);
  pem.look();
  let bundled: Promise<{ readonly kube: BundledConfig; readonly agent: Agent }> | undefined;
  let used: RequestOptions = {};
  let look: Look | undefined;
  let heedsFromMs = -Infinity;

  async function open(): Promise<{ readonly kube: BundledConfig; readonly agent: Agent }> {
    const { server, cluster } = config;
    const { proxyUrl, tlsServerName } = cluster;
    const agent = await createAgent({ server, proxyUrl, serverName: tlsServerName });
    return { kube: new BundledConfig(agent, authenticators), agent };
  }

  async function apply(): Promise<RequestParts> {
    bundled ??= open();
    const { kube, agent } = await bundled;
    const { cluster, user } = withMaterial(config, pem.look());
    kube.loadFromClusterAndUser(cluster, user);
    const applied: RequestParts = { headers: {} };
    await kube.applyToHTTPSOptions(applied);
    if (signal.aborted) throw accessError("CREDENTIALS", `access to ${config.server} was closed`);
    const next = requestParts(applied, config);
    const isRotated = (["ca", "cert", "key"] as const).some((part) => used[part] !== next[part]);
    if (isRotated) closeIdle(agent);
    used = next;
    return next;
  }

  /** Until when a look is used: never beyond the end of a plugin's credentials. */
  function usedUntil(): number {
    const leftMs = (exec?.endMs ?? Infinity) - clock.wallMs();
    return clock.nowMs() + (leftMs > 0 ? Math.min(LOOK_MS, leftMs) : LOOK_MS);
  }

  function start(): Look {
    const begun: Look = { options: apply(), untilMs: Infinity };
    const end = (): void => void (begun.untilMs = usedUntil());
    begun.options.then(end, end);
    return begun;
  }

  return {
    server: config.server,
    context: config.context,
    requestOptions: async () => {
      if (look === undefined || look.untilMs <= clock.nowMs()) look = start();
      const shared = await look.options;
      return { ...shared, headers: { ...shared.headers } };
    },
    refused: () => {
      // While a look is going on, the refusal is of credentials from before it.
      const isHeeded = clock.nowMs() >= heedsFromMs && look?.untilMs !== Infinity;
      if (exec === undefined || !isHeeded) return;
      heedsFromMs = clock.nowMs() + LOOK_MS;
      exec.drop();
      look = undefined;
    },
    close: () => {
      closing.abort();
      look = undefined;
      bundled?.then(
        ({ agent }) => agent.destroy(),
        () => undefined,
      );
    },
  };
}
