// The controller's flags, variables and file keys: one table, and what must hold between them.
// Names, ports and defaults are contracts. What a later release brings is refused in words.

import type { AddressPool } from "@fairlead/model";
import {
  type Complaint,
  type GivenSettings,
  type HostPort,
  type LogFormat,
  type LogLevel,
  type Setting,
  booleanSetting,
  checkListenPlaces,
  choiceSetting,
  durationSetting,
  hostPortSetting,
  listSetting,
  stringSetting,
} from "@fairlead/runtime";

import { type PoolSettingProblem, readConfiguredPools } from "./config/pools.ts";
import {
  checkRestFlags,
  REST_SETTINGS,
  type RestFlags,
  type RestSettings,
  restPlace,
  restSettings,
} from "./rest-settings.ts";
import { parseNodeSelector, parseRouterIds } from "./setting-grammars.ts";
import type { NodeSelector } from "./sources/node-object.ts";
import {
  type Env,
  type SourceFlags,
  type SourceSettings,
  checkSourceFlags,
  membersDefault,
  SOURCE_SETTINGS,
  sourceSettings,
} from "./source-settings.ts";
import {
  checkStoreFlags,
  STORE_SETTINGS,
  type StoreFlags,
  type StoreSettings,
  storeKind,
  storeSettings,
} from "./store-settings.ts";

/** The values of the controller's flags. */
export interface ControllerFlags extends SourceFlags, StoreFlags, RestFlags {
  readonly pool: readonly string[];
  readonly externalPoolDir: string;
  readonly defaultClass: boolean;
  readonly writeExternalIps: boolean;
  readonly nodeSelector: string;
  readonly listenAgents: HostPort;
  readonly listenMetrics: HostPort;
  readonly listenAdmin: HostPort;
  readonly advertInterval: number;
  readonly reservedRouterIds: string;
  readonly insecure: boolean;
  readonly logLevel: LogLevel | undefined;
  readonly logFormat: LogFormat | undefined;
}

const EXTERNAL_POOL_DIR = "/etc/fairlead/external";

/** How each flag is read and explained. */
export type ControllerSettingsTable = {
  readonly [Key in keyof ControllerFlags]: Setting<ControllerFlags[Key]>;
};

/** Keys of the settings file beside the flags. */
export const CONTROLLER_EXTRA_KEYS: readonly string[] = ["pools"];

/** The controller's settings, as `readSettings` wants them. */
export const CONTROLLER_SETTINGS: ControllerSettingsTable = {
  ...SOURCE_SETTINGS,
  pool: listSetting({
    default: [],
    placeholder: "NAME=RANGE[,RANGE]",
    help: "Adds a pool of addresses: CIDRs, first-last, or single addresses.",
  }),
  externalPoolDir: stringSetting({
    default: EXTERNAL_POOL_DIR,
    placeholder: "DIR",
    help:
      "Where the CAs of external pools' IPAMs and the tokens for them are: HOST/ca.crt and " +
      "HOST/token, of the host in the pool's url, and HOST/POOL.token of one pool alone. They " +
      "are read for each request.",
    check: (text) => (text === "" ? "the path of a folder" : undefined),
  }),
  ...STORE_SETTINGS,
  defaultClass: booleanSetting({
    default: true,
    help: "Serves Services of type LoadBalancer that name no class.",
  }),
  writeExternalIps: booleanSetting({
    default: false,
    help:
      "Writes addresses to spec.externalIPs of every Service too, for as long as they are served. " +
      "A Service alone asks for it by the annotation fairlead.io/external-ips.",
  }),
  nodeSelector: stringSetting({
    default: "",
    placeholder: "KEY[=VALUE],...",
    help:
      "Takes only nodes with these labels as members: KEY alone with any value, KEY= with an " +
      "empty one.",
    check: (text) =>
      parseNodeSelector(text) === undefined
        ? "labels as KEY=VALUE or KEY, with commas between"
        : undefined,
  }),
  listenAgents: hostPortSetting({
    default: { host: "", port: 7702 },
    help: "Where agents connect; without a host on all addresses, of IPv4 and IPv6.",
  }),
  listenMetrics: hostPortSetting({
    default: { host: "", port: 7704 },
    help:
      "Where /metrics, /healthz and /readyz are served; without a host on all addresses, of IPv4 " +
      "and IPv6.",
  }),
  listenAdmin: hostPortSetting({
    default: { host: "127.0.0.1", port: 7705 },
    hostDefault: "127.0.0.1",
    help: "Where the command line asks; keep it on the loopback, as it asks nobody's name.",
  }),
  ...REST_SETTINGS,
  advertInterval: durationSetting({
    default: 100,
    minMs: 30,
    maxMs: 10_000,
    help: "Time between VRRP adverts; a failover takes about three of them.",
  }),
  reservedRouterIds: stringSetting({
    default: "",
    placeholder: "ID[,FIRST-LAST]",
    help: "Never uses these VRRP router ids, as others on the network have them.",
    check: (text) =>
      parseRouterIds(text) === undefined ? "router ids from 1 to 255, such as 1,50-59" : undefined,
  }),
  insecure: booleanSetting({
    default: false,
    help: "Speaks to agents without TLS. Required until TLS is built; it warns.",
  }),
  logLevel: choiceSetting({
    default: "info",
    choices: ["debug", "info", "warn", "error", "silent"],
    help: "The least important messages that are written.",
  }),
  logFormat: choiceSetting({
    default: "text",
    choices: ["json", "text"],
    help: "One line a record, for people (text) or programs (json).",
  }),
};

/** What a controller runs by, all of it checked. */
export interface ControllerSettings {
  readonly source: SourceSettings;
  readonly pools: readonly AddressPool[];
  readonly store: StoreSettings;
  /** Where the CAs and tokens of external pools' IPAMs are. */
  readonly externalPoolDir: string;
  /** How long a lead lasts that is not renewed; stores of one file know no leads. */
  readonly leaderLeaseMs: number;
  readonly defaultClass: boolean;
  readonly members: "endpoints" | "nodes";
  readonly nodeSelector: NodeSelector;
  readonly listenAgents: HostPort;
  /** Undefined: not served; somebody else does. */
  readonly listenMetrics: HostPort | undefined;
  readonly listenAdmin: HostPort;
  /** Undefined: not served. */
  readonly rest: RestSettings | undefined;
  readonly advertIntervalMs: number;
  readonly reservedRouterIds: readonly number[];
  /** Whether addresses stand in `spec.externalIPs` of every Service. */
  readonly writesExternalIPs: boolean;
  /** Whether what was written there goes when the controller ends: nobody serves it then. */
  readonly emptiesOnExit: boolean;
  /** Whether Services share a host's own address by port while there is no pool. */
  readonly sharesOwnAddress: boolean;
}

/** How many hosts a controller is for. */
export type InstallSize = "hosts" | "one host";

/** What is wrong with flags together; for the `check` of `readSettings`. */
export function checkControllerFlags(
  given: GivenSettings<ControllerSettingsTable>,
  env: Env,
  /** Where the program listens beside. */
  others: Readonly<Record<string, HostPort | undefined>> = {},
): readonly Complaint[] {
  const { settings, named, rest } = given;
  const complaints = [
    ...checkSourceFlags(settings, env),
    ...checkStoreFlags(settings),
    ...checkRestFlags({ settings, named, store: storeGiven(settings) }),
    ...checkListenPlaces({ ...listenPlaces(settings), ...others }),
  ];
  if (settings.insecure === false) complaints.push(NO_TLS);
  const flags = settings.pool ?? [];
  const pools = readConfiguredPools({ flags, file: rest["pools"], path: given.configPath });
  if (pools.kind === "bad") complaints.push(...pools.problems.map(poolComplaint));
  return complaints;
}

function listenPlaces(settings: Partial<ControllerFlags>): Record<string, HostPort | undefined> {
  const { listenAgents, listenMetrics, listenAdmin } = settings;
  const listenRest = restPlace(settings, storeGiven(settings));
  return { listenAgents, listenMetrics, listenAdmin, listenRest };
}

/** The kind of store, where the flags that say it are well. */
function storeGiven(settings: Partial<ControllerFlags>): StoreSettings["kind"] | undefined {
  const { store, source, kubeconfig } = settings;
  const isWell = ["store", "source", "kubeconfig"].every((key) => Object.hasOwn(settings, key));
  return isWell ? storeKind({ store, source, kubeconfig }) : undefined;
}

/**
 * Makes the settings of flags that `checkControllerFlags` found nothing wrong with.
 * @param rest the file's extra keys.
 * @param size on one host addresses of pools stand on its device where nothing else is asked for.
 */
export function controllerSettings(
  flags: ControllerFlags,
  rest: Readonly<Record<string, unknown>>,
  size: InstallSize = "hosts",
): ControllerSettings {
  const isOneHost = size === "one host";
  const defaultMode = isOneHost ? "link" : "vrrp";
  const pools = readConfiguredPools({ flags: flags.pool, file: rest["pools"], defaultMode });
  const store = storeSettings(flags);
  return {
    source: sourceSettings(flags),
    pools: pools.kind === "ok" ? pools.pools : [],
    store,
    externalPoolDir: flags.externalPoolDir,
    leaderLeaseMs: flags.leaderLease,
    defaultClass: flags.defaultClass,
    members: membersDefault(flags),
    nodeSelector: parseNodeSelector(flags.nodeSelector) ?? {},
    listenAgents: flags.listenAgents,
    listenMetrics: flags.listenMetrics,
    listenAdmin: flags.listenAdmin,
    rest: restSettings(flags, store),
    advertIntervalMs: flags.advertInterval,
    reservedRouterIds: parseRouterIds(flags.reservedRouterIds) ?? [],
    sharesOwnAddress: isOneHost,
    writesExternalIPs: flags.writeExternalIps,
    emptiesOnExit: isOneHost,
  };
}

const NO_TLS: Complaint = {
  what: "--insecure",
  why: "agents connect without TLS until it is built, and that has to be asked for",
  todo: "add --insecure if only trusted hosts reach the agents' port",
  code: "MissingSetting",
};

function poolComplaint({ place, detail, isInFile }: PoolSettingProblem): Complaint {
  return {
    what: place,
    why: detail,
    todo: isInFile
      ? "mend the pool in the file; docs/how-to/pools.md has all fields"
      : "write NAME=RANGE[,RANGE] with CIDRs, first-last or addresses",
    code: "BadValue",
  };
}
