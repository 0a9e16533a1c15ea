// Credentials from a plugin, a program of the kubeconfig. client-node tells which users have one
// and puts the answer into a request; running it is ours: bounded in time and output, with the
// cluster info that plugins are told, and with an answer that is checked before it is kept. The
// program runs beside the loop and never blocks it. What it prints is never shown.

import { describeError, isEdgeError, quoteValue, runProgram } from "@fairlead/runtime";
import { ExecAuth, type ExecCredential } from "#client-node";
import type { ExecConfig } from "./access-config.ts";
import { accessError, type KubeAccessError } from "./access-error.ts";
import { checkClientPair, checkNotExpired } from "./certificates.ts";
import { isFields } from "./parse-kubeconfig.ts";

/** What a plugin needs to run. */
export interface ExecCredentialsOptions {
  readonly exec: ExecConfig;
  /** The environment that the plugin's own variables are added to. */
  readonly env: NodeJS.ProcessEnv;
  /** Time of day. */
  readonly wallMs: () => number;
  /** Ends a running plugin. */
  readonly signal: AbortSignal;
}

const RUN_MS_MAX = 30_000;
const OUTPUT_BYTES_MAX = 1024 * 1024;
/** For a plugin that names no end: a change that is no refusal would not be seen otherwise. */
const WITHOUT_END_MS = 10 * 60_000;

interface Kept {
  readonly credential: ExecCredential;
  /** Epoch milliseconds from which it is not used. */
  readonly endMs: number;
}

/** Authenticates by a plugin and keeps its credentials until they expire or are dropped. */
export class ExecCredentials extends ExecAuth {
  readonly #options: ExecCredentialsOptions;
  #kept: Kept | undefined;

  constructor(options: ExecCredentialsOptions) {
    super();
    this.#options = options;
  }

  /** When the credentials at hand expire; 0 when there are none. Epoch milliseconds. */
  get endMs(): number {
    return this.#kept?.endMs ?? 0;
  }

  /** Keeps nothing: the plugin runs for the next request. */
  drop(): void {
    this.#kept = undefined;
  }

  /** Rejects with CREDENTIALS. */
  protected override async getCredential(): Promise<ExecCredential> {
    const { wallMs } = this.#options;
    if (this.#kept === undefined || this.#kept.endMs <= wallMs()) {
      this.#kept = readAnswer(await this.#run(), this.#options);
    }
    return this.#kept.credential;
  }

  async #run(): Promise<string> {
    const { exec, signal } = this.#options;
    const plugin = nameOf(exec);
    try {
      const { command, args } = exec;
      const result = await runProgram({
        command,
        args,
        env: environment(this.#options),
        timeoutMs: RUN_MS_MAX,
        maxOutputBytes: OUTPUT_BYTES_MAX,
        signal,
      });
      if (result.timedOut) throw failed(plugin, `took longer than ${RUN_MS_MAX / 1000} s`);
      if (result.code === 0) return result.stdout;
      const how = result.code === undefined ? `by ${result.signal}` : `with code ${result.code}`;
      throw failed(plugin, `ended ${how}; run it by hand to see what it says`);
    } catch (error) {
      if (isEdgeError(error, "CREDENTIALS")) throw error;
      throw failed(plugin, `did not run: ${describeError(error)}`);
    }
  }
}

function environment(options: ExecCredentialsOptions): Readonly<Record<string, string>> {
  const { apiVersion, clusterInfo, env: added } = options.exec;
  const spec = {
    interactive: false,
    ...(clusterInfo === undefined ? {} : { cluster: clusterInfo }),
  };
  const info = JSON.stringify({ apiVersion, kind: "ExecCredential", spec });
  const inherited = Object.entries(options.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...Object.fromEntries(inherited), ...added, KUBERNETES_EXEC_INFO: info };
}

function readAnswer(text: string, options: ExecCredentialsOptions): Kept {
  const { exec, wallMs } = options;
  const plugin = nameOf(exec);
  const status = statusOf(text, plugin);
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status;
  const texts = { token, clientCertificateData, clientKeyData, expirationTimestamp };
  for (const [key, value] of Object.entries(texts)) {
    if (value !== undefined && value !== null && typeof value !== "string") {
      throw failed(plugin, `answered with a ${key} that is no text`);
    }
  }
  const certificate = given(clientCertificateData);
  const key = given(clientKeyData);
  const credential = {
    status: { token: given(token), clientCertificateData: certificate, clientKeyData: key },
  };
  if ((certificate === undefined) !== (key === undefined)) {
    throw failed(plugin, "answered with one of certificate and key, and without the other");
  }
  if (credential.status.token === undefined && certificate === undefined) {
    throw failed(plugin, "answered with neither a token nor a certificate");
  }
  const ends = [expiryOf(given(expirationTimestamp), plugin) ?? wallMs() + WITHOUT_END_MS];
  if (certificate !== undefined && key !== undefined) {
    const endMs = pairEnd(certificate, key, plugin);
    checkNotExpired(`certificate of ${plugin}`, endMs, wallMs());
    ends.push(endMs);
  }
  return { credential, endMs: Math.min(...ends) };
}

function statusOf(text: string, plugin: string): Readonly<Record<string, unknown>> {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    // V8's own message quotes what was printed.
    throw failed(plugin, "printed no JSON");
  }
  if (!isFields(answer) || answer["kind"] !== "ExecCredential" || !isFields(answer["status"])) {
    throw failed(plugin, "printed no ExecCredential with a status");
  }
  return answer["status"];
}

function pairEnd(certificate: string, key: string, plugin: string): number {
  try {
    return checkClientPair({
      certificate: { what: "its certificate", pem: certificate },
      key: { what: "its key", pem: key },
    });
  } catch (error) {
    throw failed(plugin, `answered badly: ${describeError(error)}`);
  }
}

function expiryOf(timestamp: string | undefined, plugin: string): number | undefined {
  if (timestamp === undefined) return undefined;
  const endMs = Date.parse(timestamp);
  if (!Number.isNaN(endMs)) return endMs;
  throw failed(plugin, "answered with an expirationTimestamp that is no time");
}

function given(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The command alone: arguments and variables may be secrets. */
function nameOf(exec: ExecConfig): string {
  return `credential plugin ${quoteValue(exec.command)}`;
}

function failed(plugin: string, what: string): KubeAccessError {
  return accessError("CREDENTIALS", `${plugin} ${what}`, true);
}
