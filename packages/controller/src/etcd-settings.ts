// How the etcd of `--store etcd:...` is used, by flags: below which path, and the files by which
// each side knows the other. Pure; the files are read when the adapters are made.

import { type Complaint, type GivenSettings, type Setting, stringSetting } from "@fairlead/runtime";

import { ETCD_SCHEME, type EtcdAccess, readEtcdUrls } from "./etcd/etcd-access.ts";

/** The flags beside `--store etcd:URL`. */
export interface EtcdFlags {
  readonly etcdBase: string;
  readonly etcdCaFile: string | undefined;
  readonly etcdCertFile: string | undefined;
  readonly etcdKeyFile: string | undefined;
}

/** How each of them is read and explained. */
export type EtcdSettingsTable = {
  readonly [Key in keyof EtcdFlags]: Setting<EtcdFlags[Key]>;
};

/** An etcd as settings say it; its files are not read yet. */
export interface EtcdSettings {
  readonly access: EtcdAccess;
  /** All keys are below it: `/fairlead`. */
  readonly base: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

const BASE = /^(?:\/[A-Za-z0-9._-]+)+$/u;
const BASE_CHARACTERS_MAX = 200;

/** The flags, as `readSettings` wants them. */
export const ETCD_SETTINGS: EtcdSettingsTable = {
  etcdBase: stringSetting({
    default: "/fairlead",
    placeholder: "PATH",
    help: "In etcd all keys are below this path; controllers of one install share it.",
    check: (text) =>
      BASE.test(text) && text.length <= BASE_CHARACTERS_MAX
        ? undefined
        : "a path such as /fairlead",
  }),
  etcdCaFile: fileSetting(
    "Trusts etcd members with certificates of this authority. By default those of the machine.",
  ),
  etcdCertFile: fileSetting("Shows this certificate to etcd."),
  etcdKeyFile: fileSetting("The key of that certificate."),
};

function fileSetting(help: string): Setting<string | undefined> {
  return stringSetting({
    default: undefined,
    placeholder: "FILE",
    help,
    check: (text) => (text === "" ? "the path of a file in PEM" : undefined),
  });
}

/** What is wrong with these flags together. */
export function checkEtcdFlags(
  settings: GivenSettings<
    EtcdSettingsTable & { readonly store: Setting<string | undefined> }
  >["settings"],
): readonly Complaint[] {
  const { store, etcdCaFile, etcdCertFile, etcdKeyFile } = settings;
  const isSecure = store?.startsWith(`${ETCD_SCHEME}https:`) === true;
  const hasFiles = [etcdCaFile, etcdCertFile, etcdKeyFile].some((file) => file !== undefined);
  if (hasFiles && !isSecure) return [NO_TLS];
  return (etcdCertFile === undefined) === (etcdKeyFile === undefined) ? [] : [HALF_A_PAIR];
}

/** An etcd, by flags that nothing is wrong with. */
export function etcdSettings(store: string, flags: EtcdFlags): EtcdSettings {
  const read = readEtcdUrls(store);
  if (read.kind === "bad") throw new TypeError(`flags are checked: expected ${read.expected}`);
  const { etcdBase, etcdCaFile, etcdCertFile, etcdKeyFile } = flags;
  return {
    access: read.access,
    base: etcdBase,
    ...(etcdCaFile === undefined ? {} : { caFile: etcdCaFile }),
    ...(etcdCertFile === undefined ? {} : { certFile: etcdCertFile }),
    ...(etcdKeyFile === undefined ? {} : { keyFile: etcdKeyFile }),
  };
}

const NO_TLS: Complaint = {
  what: "--etcd-ca-file, --etcd-cert-file, --etcd-key-file",
  why: "they are for an etcd with TLS, and the store names none",
  todo: "write the URLs as --store etcd:https://HOST:2379, or leave the files away",
  code: "ConflictingSettings",
};

const HALF_A_PAIR: Complaint = {
  what: "--etcd-cert-file and --etcd-key-file",
  why: "a certificate and its key go together, and one of them is missing",
  todo: "give both, or none where etcd asks for no certificate",
  code: "MissingSetting",
};
