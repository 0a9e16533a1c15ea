// Makes the configuration of an access from a kubeconfig file. Given its path and the context that
// is wanted. Files that it names are relative to its own folder. What Kubernetes understands and we
// do not is refused in words and never left out in silence.

import { dirname, isAbsolute, join, resolve } from "node:path";
import { quoteValue } from "@fairlead/runtime";
import { newClusters, newUsers } from "#client-node";
import type { AccessConfig, PemSource } from "./access-config.ts";
import { accessError } from "./access-error.ts";
import { impersonationHeaders } from "./impersonation.ts";
import {
  type ChosenContext,
  chooseContext,
  type Fields,
  isFields,
  textField,
} from "./parse-kubeconfig.ts";
import { readExecConfig } from "./read-exec-config.ts";
import { quotePath, readTextFile } from "./read-file.ts";
import { checkProxyUrl, serverOf } from "./server-url.ts";

/** Reads the file. Throws EdgeError<KubeAccessErrorCode>. */
export function readKubeconfig(path: string, wanted: string | undefined): AccessConfig {
  const absolute = resolve(path);
  const file = `kubeconfig ${quotePath(path)}`;
  const chosen = chooseContext(readTextFile("kubeconfig", absolute), file, wanted);
  const folder = dirname(absolute);
  const ofCluster = `cluster ${quoteValue(chosen.clusterName)} of ${file}`;
  const ofUser = `user ${quoteValue(chosen.userName ?? "")} of ${file}`;
  const server = serverOf(textField(chosen.cluster, "server", ofCluster), ofCluster);
  checkProxyUrl(textField(chosen.cluster, "proxy-url", ofCluster), ofCluster);
  const pem = (fields: Fields, key: string, where: string): PemSource | undefined =>
    pemSource({ fields, key, where, folder });
  const ca = pem(chosen.cluster, "certificate-authority", ofCluster);
  const certificate = pem(chosen.user, "client-certificate", ofUser);
  const key = pem(chosen.user, "client-key", ofUser);
  // client-node knows this key as token-file and reads it once.
  const tokenFile = textField(chosen.user, "tokenFile", ofUser);
  return {
    context: chosen.name,
    server,
    ...withoutPem({ chosen, folder, ofCluster, ofUser }),
    pem: { ca, certificate, key },
    tokenFile: tokenFile === undefined ? undefined : inFolder(folder, tokenFile),
    headers: impersonationHeaders(chosen.user, ofUser),
    exec: readExecConfig({ user: chosen.user, cluster: chosen.cluster, where: ofUser, folder }),
  };
}

const OWN_KEYS =
  /^(certificate-authority|client-certificate|client-key)(-data)?$|^token-?[fF]ile$/u;

interface Entries {
  readonly chosen: ChosenContext;
  readonly folder: string;
  readonly ofCluster: string;
  readonly ofUser: string;
}

/** The entries as client-node reads them, without what this package reads by itself. */
function withoutPem(entries: Entries): Pick<AccessConfig, "cluster" | "user"> {
  const { chosen, folder, ofCluster, ofUser } = entries;
  const left = (fields: Fields): Fields =>
    Object.fromEntries(Object.entries(fields).filter(([key]) => !OWN_KEYS.test(key)));
  for (const key of ["token", "username", "password", "as"]) textField(chosen.user, key, ofUser);
  textField(chosen.cluster, "tls-server-name", ofCluster);
  const [cluster] = newClusters([{ name: chosen.clusterName, cluster: left(chosen.cluster) }]);
  const fields = {
    ...left(chosen.user),
    "auth-provider": oidcProvider(chosen.user, folder, ofUser),
  };
  // client-node applies nothing of the cluster where there is no user.
  const [user] = newUsers([{ name: chosen.userName ?? "nobody", user: fields }]);
  if (cluster === undefined || user === undefined) {
    throw accessError("MALFORMED", `${ofCluster} cannot be used`);
  }
  return { cluster, user };
}

interface PemField {
  readonly fields: Fields;
  readonly key: string;
  readonly where: string;
  readonly folder: string;
}

/** Data wins over a file, as everywhere in Kubernetes. */
function pemSource({ fields, key, where, folder }: PemField): PemSource | undefined {
  const data = textField(fields, `${key}-data`, where);
  const path = textField(fields, key, where);
  if (data !== undefined) {
    return { kind: "inline", what: `${key}-data of ${where}`, pem: fromBase64(data, key, where) };
  }
  if (path === undefined) return undefined;
  return { kind: "file", what: key, path: inFolder(folder, path) };
}

function fromBase64(data: string, key: string, where: string): string {
  const text = data.replace(/\s/gu, "");
  // Buffer would leave out what it does not understand.
  if (!/^[A-Za-z0-9+/]+={0,2}$/u.test(text) || text.length % 4 !== 0) {
    throw accessError("MALFORMED", `${where}: ${key}-data is no base64`);
  }
  return Buffer.from(text, "base64").toString("utf8");
}

/** Others are gone since Kubernetes 1.26. Those of Azure and Google also blocked the loop. */
function oidcProvider(user: Fields, folder: string, where: string): Fields | undefined {
  const provider = user["auth-provider"];
  if (provider === undefined || provider === null) return undefined;
  const name = isFields(provider) ? provider["name"] : undefined;
  if (!isFields(provider) || name !== "oidc") {
    const shown = typeof name === "string" ? quoteValue(name) : "without a name";
    const todo = "use an exec plugin, such as kubelogin or gke-gcloud-auth-plugin";
    throw accessError("MALFORMED", `${where}: auth-provider ${shown} is not known; ${todo}`);
  }
  const config = provider["config"];
  if (!isFields(config)) throw accessError("MALFORMED", `${where}: auth-provider has no config`);
  const key = "idp-certificate-authority";
  const ca = textField(config, key, where);
  return { name, config: ca === undefined ? config : { ...config, [key]: inFolder(folder, ca) } };
}

function inFolder(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}
