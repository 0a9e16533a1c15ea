// A program that makes a cluster on loopback and waits, for the test that kills it. It says the ids
// of the cluster's programs as one line of JSON.

import { startCluster } from "@fairlead/lab";

import { clusterPrograms } from "../api-host.ts";

const { etcd, apiserver, controllerManager } = await startCluster({ programs: clusterPrograms() });
const pids = [etcd, apiserver, controllerManager].map((program) => program.outsidePid());
process.stdout.write(`${JSON.stringify(pids)}\n`);
