// The surface of the bundle of @kubernetes/client-node that this package uses, and nothing more.
// Written by hand after version 2.0.1; build/entry.mjs lists what the bundle has inside.

import type { Agent, AgentOptions } from "node:http";
import type { RequestOptions } from "node:https";

/** One cluster of a kubeconfig, as client-node keeps it. */
export interface Cluster {
  readonly name: string;
  readonly server: string;
  readonly skipTLSVerify: boolean;
  readonly tlsServerName?: string | undefined;
  readonly proxyUrl?: string | undefined;
  /** Base64 of PEM. */
  readonly caData?: string | undefined;
}

/** One user of a kubeconfig, as client-node keeps it. Absent things may be null. */
export interface User {
  readonly name: string;
  /** Base64 of PEM. */
  readonly certData?: string | null | undefined;
  /** Base64 of PEM. */
  readonly keyData?: string | null | undefined;
  readonly token?: string | null | undefined;
  readonly username?: string | null | undefined;
  readonly password?: string | null | undefined;
  readonly impersonateUser?: string | null | undefined;
  readonly exec?: unknown;
  readonly authProvider?: unknown;
}

/** The answer of a credential plugin, checked. */
export interface ExecCredential {
  readonly status: {
    readonly token?: string | undefined;
    /** PEM. */
    readonly clientCertificateData?: string | undefined;
    /** PEM. */
    readonly clientKeyData?: string | undefined;
  };
}

/** Puts what it knows of a user into the options of a request. */
export interface Authenticator {
  isAuthProvider(user: User): boolean;
  applyAuthentication(user: User, options: RequestOptions): Promise<void>;
}

/** Clusters out of the list of a kubeconfig. Throws for an entry without a name or a server. */
export declare function newClusters(list: readonly unknown[]): Cluster[];
/** Users out of the list of a kubeconfig. Throws for an entry without a name. */
export declare function newUsers(list: readonly unknown[]): User[];

/** A kubeconfig with one context in use. */
export declare class KubeConfig {
  protected authenticators: readonly Authenticator[];
  loadFromClusterAndUser(cluster: Cluster, user: User): void;
  /** Sets agent, TLS options and headers from the context in use. */
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
  protected createAgent(cluster: Cluster | null, options: RequestOptions): Agent;
}

/** Credentials from a program. Its own way to run it is replaced, see exec-credentials.ts. */
export declare class ExecAuth implements Authenticator {
  isAuthProvider(user: User): boolean;
  applyAuthentication(user: User, options: RequestOptions): Promise<void>;
  protected getCredential(user: User): Promise<ExecCredential | null>;
}

/** Credentials from an identity provider, renewed when they expire. */
export declare class OpenIDConnectAuth implements Authenticator {
  /** Seconds since the epoch; 0 is "read it from the token". */
  protected currentTokenExpiration: number;
  isAuthProvider(user: User): boolean;
  applyAuthentication(user: User, options: RequestOptions): Promise<void>;
  protected getClient(user: unknown): Promise<unknown>;
}

/** Options of an agent for connections through an HTTP proxy. */
export interface ProxyAgentOptions extends AgentOptions {
  readonly proxy: string;
}

/** Makes an agent for connections through a proxy. */
export type ProxyAgentClass = new (options: ProxyAgentOptions) => Agent;
/** Makes an agent for connections through a SOCKS proxy. */
export type SocksAgentClass = new (proxy: string, options: AgentOptions) => Agent;

/** Reads the agents for HTTP proxies from disk. */
export declare function loadHttpProxyAgents(): Promise<{
  readonly HttpProxyAgent: ProxyAgentClass;
  readonly HttpsProxyAgent: ProxyAgentClass;
}>;
/** Reads the agent for SOCKS proxies from disk. */
export declare function loadSocksProxyAgent(): Promise<{
  readonly SocksProxyAgent: SocksAgentClass;
}>;
