// Reads the credential plugin of a kubeconfig's user. Given the user's and the cluster's fields.
// Decides which program runs and with which cluster info, and runs nothing.

import { isAbsolute, join } from "node:path";
import type { ExecConfig } from "./access-config.ts";
import { accessError } from "./access-error.ts";
import { type Fields, isFields, textField } from "./parse-kubeconfig.ts";

/** What to read. */
export interface ReadExecOptions {
  readonly user: Fields;
  readonly cluster: Fields;
  /** Begins messages. */
  readonly where: string;
  /** A command with a slash in it is relative to this folder. */
  readonly folder: string;
}

const API_VERSION = /^client\.authentication\.k8s\.io\/(v1|v1beta1)$/u;

/** Undefined when the user has no plugin. Throws MALFORMED. */
export function readExecConfig(options: ReadExecOptions): ExecConfig | undefined {
  const exec = options.user["exec"];
  if (exec === undefined || exec === null) return undefined;
  const where = `${options.where}: exec`;
  if (!isFields(exec)) throw accessError("MALFORMED", `${where} must be a mapping`);
  const command = textField(exec, "command", where);
  if (command === undefined) throw accessError("MALFORMED", `${where} has no command`);
  const apiVersion = textField(exec, "apiVersion", where) ?? "";
  if (!API_VERSION.test(apiVersion)) {
    const known = "client.authentication.k8s.io/v1 or .../v1beta1";
    throw accessError("MALFORMED", `${where}: its apiVersion must be ${known}`);
  }
  if (exec["interactiveMode"] === "Always") {
    const todo = "this program has no terminal; use another user";
    throw accessError("MALFORMED", `${where}: its plugin wants a terminal always; ${todo}`);
  }
  const isFile = command.includes("/") && !isAbsolute(command);
  return {
    command: isFile ? join(options.folder, command) : command,
    args: readArgs(exec["args"], where),
    env: readEnv(exec["env"], where),
    apiVersion,
    clusterInfo: exec["provideClusterInfo"] === true ? clusterInfo(options.cluster) : undefined,
  };
}

function readArgs(args: unknown, where: string): readonly string[] {
  if (args === undefined || args === null) return [];
  const isTexts = Array.isArray(args) && args.every((each) => typeof each === "string");
  if (isTexts) return args;
  throw accessError("MALFORMED", `${where}: args must be a list of texts`);
}

function readEnv(env: unknown, where: string): Readonly<Record<string, string>> {
  if (env === undefined || env === null) return {};
  const bad = accessError("MALFORMED", `${where}: env must be a list of names with values`);
  if (!Array.isArray(env)) throw bad;
  return Object.fromEntries(
    env.map((entry: unknown) => {
      if (!isFields(entry)) throw bad;
      const name = textField(entry, "name", `${where}: env`);
      if (name === undefined) throw bad;
      return [name, textField(entry, "value", `${where}: env`) ?? ""];
    }),
  );
}

/** The cluster as KUBERNETES_EXEC_INFO has it; `config` is the extension made for plugins. */
function clusterInfo(cluster: Fields): Readonly<Record<string, unknown>> {
  const extensions = cluster["extensions"];
  const ours = (Array.isArray(extensions) ? extensions : [])
    .filter(isFields)
    .find((extension) => extension["name"] === "client.authentication.k8s.io/exec");
  const info: Record<string, unknown> = {};
  const keys = ["server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url"];
  for (const key of [...keys, "certificate-authority-data"]) {
    if (cluster[key] !== undefined) info[key] = cluster[key];
  }
  return ours === undefined ? info : { ...info, config: ours["extension"] };
}
