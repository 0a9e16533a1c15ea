// kwok beside a cluster: it plays the kubelets of all nodes, so that nodes and the pods on them
// become ready by themselves. Given the cluster and the program's path. It ends with the cluster's
// place.

import type { RunningProgram } from "../running-program.ts";
import type { Cluster } from "./cluster.ts";
import { KWOK_STAGES } from "./kwok-stages.ts";

/** How kwok is started. */
export interface KwokOptions {
  /** The path of the program. */
  readonly program: string;
  /** The range that pods get their addresses from. Default: "10.244.0.0/16". */
  readonly podRange?: string;
  /** The address that nodes without one get. Default: "10.243.0.1". */
  readonly nodeAddress?: string;
}

const USER = "kwok";
const POD_RANGE_DEFAULT = "10.244.0.0/16";
const NODE_ADDRESS_DEFAULT = "10.243.0.1";
const READY_MS_MAX = 20_000;

/** Starts kwok and waits until it looks after nodes. */
export async function startKwok(cluster: Cluster, options: KwokOptions): Promise<RunningProgram> {
  const { place } = cluster;
  const [kubeconfig, stages] = [`${place.dir}/kwok.kubeconfig`, `${place.dir}/kwok-stages.yaml`];
  // A name of its own, so that the audit log tells it from others.
  const credentials = await cluster.addUser(USER, ["system:masters"]);
  await place.writeFile(kubeconfig, cluster.kubeconfigFor(USER, credentials));
  await place.writeFile(stages, KWOK_STAGES);
  const program = await place.start(options.program, [
    `--kubeconfig=${kubeconfig}`,
    `--config=${stages}`,
    "--manage-all-nodes=true",
    `--cidr=${options.podRange ?? POD_RANGE_DEFAULT}`,
    `--node-ip=${options.nodeAddress ?? NODE_ADDRESS_DEFAULT}`,
    // No controller here looks at leases of nodes, and idle clusters are to be silent.
    "--node-lease-duration-seconds=0",
  ]);
  await program.waitForLine(/Watch all nodes/, READY_MS_MAX);
  return program;
}
