// What is kept of a story that failed: outputs of programs, files and logs of the hosts, the
// history of holders, all in one folder whose path the failure names. Given the stage as it is.

import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Host } from "@fairlead/lab";

import type { ApiHost } from "./api-host.ts";
import { describeList } from "./describe-list.ts";
import { MANIFESTS, type Stage, STATE_DIR } from "./stage.ts";

/** What is asked of every load-balancer host; what it cannot say is left out. */
const QUESTIONS: Readonly<Record<string, readonly string[]>> = {
  addresses: ["ip", "address", "show"],
  sockets: ["ss", "-lntup"],
  processes: ["ps", "-eo", "pid,ppid,pgid,stat,args"],
  files: [
    "sh",
    "-c",
    `tail -n +1 /run/fairlead/keepalived/*.conf /run/fairlead/nginx/*.conf ` +
      `/run/fairlead/log/*.log /run/fairlead/log/*/current ${STATE_DIR}/* 2>/dev/null; true`,
  ],
};
const CONTROL_FILES = `tail -n +1 ${MANIFESTS}/.status/*; ls -la ${MANIFESTS}`;
const TEXT_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Writes the folder and gives a text with its path and the most important of it. */
export async function keepEvidence(stage: Stage): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fairlead-e2e-"));
  const list = await stage.asker.list().then(
    (found) => `${describeList(found)}\n\n${JSON.stringify(found, undefined, 2)}`,
    (error: unknown) => String(error),
  );
  const texts: Record<string, string> = {
    "list.txt": list,
    "history.json": JSON.stringify(historyOf(stage), undefined, 1),
    "control/status.txt": await askHost(stage.control, ["sh", "-c", CONTROL_FILES]),
  };
  for (const seat of stage.seats) {
    texts[`${seat.host.name}/${seat.command.split("/").at(-1)}.log`] = seat.lines().join("\n");
  }
  if (stage.apiHost !== undefined) Object.assign(texts, await clusterTexts(stage.apiHost));
  for (const host of stage.balancers.filter((one) => one.isUp())) {
    for (const [name, question] of Object.entries(QUESTIONS)) {
      texts[`${host.name}/${name}.txt`] = await askHost(host, question);
    }
  }
  for (const [name, text] of Object.entries(texts)) {
    const path = join(folder, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, text.slice(-TEXT_CHARACTERS_MAX));
  }
  return `evidence is in ${folder}; the controller said:\n${list.split("\n\n")[0]}`;
}

async function clusterTexts({ cluster, kubectl }: ApiHost): Promise<Record<string, string>> {
  const { apiserver, controllerManager } = cluster;
  const objects = ["get", "services,endpointslices,nodes,events.events.k8s.io", "-A", "-o", "yaml"];
  // A story may have ended the API server: that may not hide why it failed.
  const audit = cluster
    .auditLog()
    .then((log) => log.map((entry) => JSON.stringify(entry)).join("\n"), String);
  return {
    "api/objects.yaml": await kubectl(objects).catch(String),
    "api/audit.log": await audit,
    "api/kube-apiserver.log": apiserver.lines().join("\n"),
    "api/kube-controller-manager.log": controllerManager.lines().join("\n"),
  };
}

function historyOf(stage: Stage): unknown {
  try {
    return { history: stage.recorder.history(), partitions: stage.lab.partitions() };
  } catch (error) {
    return String(error);
  }
}

async function askHost(host: Host, [command = "", ...args]: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await host.exec(command, args);
    return `${stdout}${stderr}`;
  } catch (error) {
    return String(error);
  }
}
