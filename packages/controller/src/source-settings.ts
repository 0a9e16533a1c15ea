// Where Services come from, by flags and surroundings: a folder of manifests, a cluster by its
// kubeconfig, or the cluster that the controller runs in. Pure.

import type { Complaint, GivenSettings, Setting } from "@fairlead/runtime";
import { choiceSetting, stringSetting } from "@fairlead/runtime";

/** The flags that say where Services and their members come from. */
export interface SourceFlags {
  readonly source: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly members: "endpoints" | "nodes" | undefined;
}

/** How each of them is read and explained. */
export type SourceSettingsTable = {
  readonly [Key in keyof SourceFlags]: Setting<SourceFlags[Key]>;
};

/** Where Services come from. */
export type SourceSettings =
  /** A folder of manifests, by its path. */
  | { readonly kind: "folder"; readonly folder: string }
  /** A cluster; no kubeconfig: the one that this program runs in, by its service account. */
  | {
      readonly kind: "cluster";
      readonly kubeconfig: string | undefined;
      /** Undefined: the current context of the kubeconfig. */
      readonly context: string | undefined;
    };

/** The flags, as `readSettings` wants them. */
export const SOURCE_SETTINGS: SourceSettingsTable = {
  source: stringSetting({
    default: undefined,
    placeholder: "DIR",
    help: "Reads Services, EndpointSlices, Nodes and AddressPools from the files of this folder.",
    check: (text) => (text === "" ? "the path of a folder" : undefined),
  }),
  kubeconfig: stringSetting({
    default: undefined,
    placeholder: "FILE",
    help: "Reads Services from the cluster that this kubeconfig names. Inside of one it needs none.",
    check: (text) => (text === "" ? "the path of a kubeconfig" : undefined),
  }),
  context: stringSetting({
    default: undefined,
    placeholder: "NAME",
    help: "Takes this context of the kubeconfig. By default its current one.",
    check: (text) => (text === "" ? "the name of a context" : undefined),
  }),
  members: choiceSetting<"endpoints" | "nodes">({
    default: undefined,
    choices: ["endpoints", "nodes"],
    help:
      "Sends traffic to the addresses of EndpointSlices, or to nodes and their NodePorts. By " +
      "default to nodes where --kubeconfig is given, as pods are seldom reachable from outside.",
  }),
};

/** Environment variables of a process. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What is wrong with these flags together. */
export function checkSourceFlags(
  settings: GivenSettings<SourceSettingsTable>["settings"],
  env: Env,
): readonly Complaint[] {
  const { source, kubeconfig, context } = settings;
  const complaints: Complaint[] = [];
  if (source !== undefined && kubeconfig !== undefined) complaints.push(TWO_SOURCES);
  // Absent as a key: it was given and is wrong, which is said already.
  const areKnown = "source" in settings && "kubeconfig" in settings;
  if (areKnown && source === undefined && kubeconfig === undefined && !isInCluster(env)) {
    complaints.push(NO_SOURCE);
  }
  if (context !== undefined && kubeconfig === undefined) complaints.push(NO_CONTEXT);
  return complaints;
}

/** Where Services come from, by flags that nothing is wrong with. */
export function sourceSettings(flags: SourceFlags): SourceSettings {
  const { source, kubeconfig, context } = flags;
  if (source !== undefined) return { kind: "folder", folder: source };
  return { kind: "cluster", kubeconfig, context };
}

/** Who members are where no flag says it: who stands outside of a cluster reaches its nodes. */
export function membersDefault({ kubeconfig, members }: SourceFlags): "endpoints" | "nodes" {
  return members ?? (kubeconfig === undefined ? "endpoints" : "nodes");
}

/** Kubernetes gives every pod the address of its API server. */
function isInCluster(env: Env): boolean {
  return (env["KUBERNETES_SERVICE_HOST"] ?? "") !== "";
}

const NO_SOURCE: Complaint = {
  what: "--source",
  why: "nothing says where Services come from",
  todo: "name a folder of manifests by --source DIR, or a cluster by --kubeconfig FILE",
  code: "MissingSetting",
};

const TWO_SOURCES: Complaint = {
  what: "--source and --kubeconfig",
  why: "Services come from one place, and two are named",
  todo: "leave one of them away; pools can stand in --pool or in the settings file",
  code: "ConflictingSettings",
};

const NO_CONTEXT: Complaint = {
  what: "--context",
  why: "it names a context of a kubeconfig, and none is given",
  todo: "name the kubeconfig by --kubeconfig FILE",
  code: "MissingSetting",
};
