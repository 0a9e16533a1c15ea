// A control plane on loopback with the kinds and the rights of deploy/, for tests that need no
// hosts: the controller's user has its role and nothing else.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { type Cluster, startCluster } from "@fairlead/lab";
import { createKubeClient, type KubeClient } from "@fairlead/testkit";

import { toolPath } from "../../tools/tool-path.ts";
import { BINDINGS, clusterPrograms, CONTROLLER_USER, DEPLOYED } from "./api-host.ts";

/** A cluster that a controller can be pointed at. */
export interface DeployedCluster extends AsyncDisposable {
  readonly cluster: Cluster;
  /** Kubernetes as one who may do everything. */
  readonly kube: KubeClient;
  /** The file of the controller's kubeconfig. */
  readonly kubeconfig: string;
}

/** Starts it. */
export async function startDeployedCluster(): Promise<DeployedCluster> {
  const users = [{ name: CONTROLLER_USER }];
  const cluster = await startCluster({ programs: clusterPrograms(), users });
  const folder = mkdtempSync(join(tmpdir(), "fairlead-cluster-"));
  const admin = join(folder, "admin");
  const kubeconfig = join(folder, "controller");
  const credentials = cluster.credentialsOf(CONTROLLER_USER);
  writeFileSync(admin, cluster.adminKubeconfig());
  writeFileSync(kubeconfig, cluster.kubeconfigFor(CONTROLLER_USER, credentials));
  const files = DEPLOYED.map((file) => `--filename=${file}`);
  const kubectl = toolPath("kubernetes", "kubectl");
  const run = promisify(execFile);
  await run(kubectl, [`--kubeconfig=${admin}`, "apply", ...files]);
  const kinds = ["--for=condition=Established", "crd", "--all", "--timeout=20s"];
  await run(kubectl, [`--kubeconfig=${admin}`, "wait", ...kinds]);
  const connection = cluster.connect();
  const kube = createKubeClient(connection);
  for (const one of BINDINGS) await kube.create(one);
  return {
    cluster,
    kube,
    kubeconfig,
    [Symbol.asyncDispose]: async () => {
      connection[Symbol.dispose]();
      await cluster[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
