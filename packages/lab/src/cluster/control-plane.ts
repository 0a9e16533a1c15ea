// The three programs of a cluster with the files that they read. Given the place, the programs'
// paths and how to ask the API server. It starts nothing: whoever has them decides in which order.

import { setTimeout as wait } from "node:timers/promises";
import { labError } from "../lab-error.ts";
import { monotonicMs } from "../monotonic.ts";
import type { RunningProgram } from "../running-program.ts";
import type { ApiAnswer, ApiConnection } from "./api-connection.ts";
import { type Certificate, createKey } from "./certificates.ts";
import { type ClusterProgram, createClusterProgram } from "./cluster-program.ts";
import {
  apiserverFlags,
  AUDIT_POLICY,
  controllerManagerFlags,
  ETCD_ANSWERS,
  etcdFlags,
  FILES,
  type FlagOptions,
  MAKES_SLICES,
} from "./flags.ts";
import type { Place } from "./place.ts";

/** Paths of the programs, as those who are to start them see them. */
export interface ClusterPrograms {
  readonly etcd: string;
  readonly apiserver: string;
  readonly controllerManager: string;
}

/** The programs of one cluster. */
export interface ControlPlane {
  readonly etcd: ClusterProgram;
  readonly apiserver: ClusterProgram;
  readonly controllerManager: ClusterProgram;
}

/** What the programs read. */
export interface ControlPlaneFiles {
  readonly caPem: string;
  readonly serving: Certificate;
  readonly tokens: string;
  readonly controllerManagerConfig: string;
}

/** A start takes 3 s on an idle machine of two cores; tests run beside others. */
const READY_MS_MAX = 60_000;
const LOOK_EVERY_MS = 20;
const LOOK_MS_MAX = 2_000;

/** Writes all files that the programs read. */
export async function writeFiles(place: Place, files: ControlPlaneFiles): Promise<void> {
  const texts: readonly (readonly [string, string])[] = [
    [FILES.serverCertificate, files.serving.certificatePem],
    [FILES.serverKey, files.serving.keyPem],
    [FILES.clientAuthority, files.caPem],
    [FILES.tokens, files.tokens],
    [FILES.accountKey, createKey()],
    [FILES.auditPolicy, AUDIT_POLICY],
    [FILES.controllerManagerConfig, files.controllerManagerConfig],
  ];
  await Promise.all(texts.map(([name, text]) => place.writeFile(`${place.dir}/${name}`, text)));
}

/** What the programs are made of. */
export interface ControlPlaneOptions {
  readonly place: Place;
  readonly programs: ClusterPrograms;
  readonly flags: FlagOptions;
  /** Asks the API server whether it is ready. */
  readonly admin: ApiConnection;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
}

/** Makes the programs. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  const { place, programs, flags, admin, signal } = options;
  const askUntil = async (path: string, willDo: (status: number) => boolean): Promise<void> => {
    await untilAnswer(() => admin.request({ method: "GET", path, timeoutMs: LOOK_MS_MAX }), {
      willDo,
      signal,
    });
  };
  return {
    etcd: createClusterProgram({
      name: "etcd",
      start: () => place.start(programs.etcd, etcdFlags(flags)),
      ready: (program) => lineComes(program, ETCD_ANSWERS),
    }),
    apiserver: createClusterProgram({
      name: "kube-apiserver",
      start: () => place.start(programs.apiserver, apiserverFlags(flags)),
      ready: async () => {
        await askUntil("/readyz", (status) => status === 200);
        // It comes only after that, and every test needs it.
        await askUntil("/api/v1/namespaces/default", (status) => status === 200);
      },
    }),
    controllerManager: createClusterProgram({
      name: "kube-controller-manager",
      start: async () => {
        // It gives up after ten seconds without an API server, and a busy machine takes longer.
        await askUntil("/livez", () => true);
        return place.start(programs.controllerManager, controllerManagerFlags(flags));
      },
      ready: (program) => lineComes(program, MAKES_SLICES),
    }),
  };
}

async function lineComes(program: RunningProgram, pattern: RegExp): Promise<void> {
  await program.waitForLine(pattern, READY_MS_MAX);
}

/** Asks until there is an answer that will do: how far a start is shows by nothing else. */
async function untilAnswer(
  ask: () => Promise<ApiAnswer>,
  until: { readonly willDo: (status: number) => boolean; readonly signal: AbortSignal },
): Promise<void> {
  const endMs = monotonicMs() + READY_MS_MAX;
  for (;;) {
    const seen = await ask().catch((error: unknown) => ({ status: 0, text: String(error) }));
    if (seen.status !== 0 && until.willDo(seen.status)) return;
    if (monotonicMs() >= endMs) {
      throw labError("DEADLINE", `the API server is not ready: ${seen.text}`);
    }
    await wait(LOOK_EVERY_MS, undefined, { signal: until.signal });
  }
}
