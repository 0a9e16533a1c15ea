// The agent's flags, variables and file keys: one table. Names, ports and defaults are contracts.
// It says how each is read and explained, and never looks at the host.

import { hostname } from "node:os";

import { isSubdomain, parseDeviceName, parsePrefix } from "@fairlead/model";
import {
  booleanSetting,
  checkListenPlaces,
  choiceSetting,
  type Complaint,
  formatHostPort,
  type GivenSettings,
  HOST_PORT_FORMS,
  type HostPort,
  hostPortSetting,
  integerSetting,
  listSetting,
  type LogFormat,
  type LogLevel,
  parseHostPort,
  quoteValue,
  type Setting,
  stringSetting,
} from "@fairlead/runtime";

import { runDirProblem } from "./data-plane-layout.ts";
import { SERVICE_NETWORKS, SERVICE_NETWORKS_FORM, parseServiceRanges } from "./service-ranges.ts";

/** The values of the agent's settings. */
export interface AgentSettings {
  readonly name: string;
  /** Each `host:port`, or several with commas; none: the last good plan is served on. */
  readonly controller: readonly string[];
  /** Absent: found by the default route. */
  readonly link: string | undefined;
  readonly stateDir: string;
  readonly runDir: string;
  readonly listenMetrics: HostPort;
  readonly listenDebug: HostPort;
  readonly workerProcesses: number;
  /** Generations of one nginx that may live, the serving one included. */
  readonly generationsMax: number;
  /** Whether a segment is asked before an address is held there for the first time. */
  readonly askBeforeUse: boolean;
  /** Absent: the kernel's table where the host can have it, else nginx's file. */
  readonly memberSwitch: "kernel" | "nginx" | undefined;
  /** Networks of the service addresses. */
  readonly serviceNetworks: readonly string[];
  readonly insecure: boolean;
  readonly logLevel: LogLevel | undefined;
  readonly logFormat: LogFormat | undefined;
}

/** How each setting is read and explained. */
export type AgentSettingsTable = {
  readonly [Key in keyof AgentSettings]: Setting<AgentSettings[Key]>;
};

/** The agent's settings, as `readSettings` wants them. */
export const AGENT_SETTINGS: AgentSettingsTable = {
  name: stringSetting({
    default: hostname().toLowerCase(),
    placeholder: "NAME",
    help: "The agent's name, unique among agents; the host's name by default.",
    check: (text) => (isSubdomain(text) ? undefined : "lower-case letters, digits, dashes, dots"),
  }),
  controller: listSetting({
    default: [],
    placeholder: "HOST:PORT[,HOST:PORT]",
    help:
      "Where controllers take agents: all are tried until one leads. Without any the last good " +
      "plan is served for ever.",
    check: (text) => (parseControllers([text]) === undefined ? HOST_PORT_FORMS : undefined),
  }),
  link: stringSetting({
    default: undefined,
    placeholder: "DEVICE",
    help: "The primary device; found by the default route when there is one such device.",
    check: (text) => (parseDeviceName(text) === undefined ? "a device such as eth0" : undefined),
  }),
  stateDir: stringSetting({
    default: "/var/lib/fairlead",
    placeholder: "DIR",
    help: "Where the last good plan and the ledger are kept over restarts.",
  }),
  runDir: stringSetting({
    default: "/run/fairlead",
    placeholder: "DIR",
    help: "Where the data plane's files, sockets and logs are; lost at a reboot.",
    check: (text) =>
      runDirProblem(text) === undefined
        ? undefined
        : "a short absolute path of letters, digits, dots, dashes and underscores",
  }),
  listenMetrics: hostPortSetting({
    default: { host: "", port: 7714 },
    help:
      "Where /metrics, /healthz and /readyz are served; without a host on all addresses, of IPv4 " +
      "and IPv6.",
  }),
  listenDebug: hostPortSetting({
    default: { host: "127.0.0.1", port: 7712 },
    hostDefault: "127.0.0.1",
    help: "Where the agent shows its plan and its files; keep it on the loopback: it asks no name.",
  }),
  workerProcesses: integerSetting({
    default: 2,
    min: 1,
    max: 64,
    help: "Worker processes of nginx; keep it the same for the life of a host.",
  }),
  generationsMax: integerSetting({
    default: 8,
    min: 2,
    max: 1000,
    help:
      "Generations of nginx that may live at once. Each reload that leaves connections behind " +
      "keeps one and its memory; beyond this the oldest is ended, with its connections, 30 s " +
      "after it was replaced, or at once while four times as many live.",
  }),
  askBeforeUse: booleanSetting({
    default: true,
    help:
      "Ask the segment who has an address before it is held for the first time since the host " +
      "booted. Set to false where a router answers for every address.",
  }),
  memberSwitch: choiceSetting({
    default: undefined,
    choices: ["kernel", "nginx"],
    help:
      "Where members stand: in the kernel, where they change without a reload, or in nginx's file. " +
      "By default in the kernel where its nftables can do NAT.",
  }),
  serviceNetworks: listSetting({
    default: SERVICE_NETWORKS,
    placeholder: "CIDR[,CIDR]",
    help:
      "Networks that the host uses for itself to find members in the kernel; nobody else may use " +
      "them. Keep them the same for the life of a host.",
    check: (text) =>
      parsePrefix(text).kind === "ok" ? undefined : "a network such as 198.18.0.0/15",
  }),
  insecure: booleanSetting({
    default: false,
    help: "Speak to the controller without TLS. Required until TLS is built; it warns.",
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

/**
 * The places of all controllers, in order, none twice; one without a host is on this one. Undefined
 * when one is no place.
 */
export function parseControllers(texts: readonly string[]): readonly string[] | undefined {
  const places = new Set<string>();
  for (const text of texts.flatMap((each) => each.split(","))) {
    const place = parseHostPort(text.trim(), "127.0.0.1");
    if (place === undefined) return undefined;
    places.add(formatHostPort(place));
  }
  return [...places];
}

/** Settings of `fairlead-agent stop`. */
export interface StopSettings {
  readonly withdraw: boolean;
  readonly stateDir: string;
  readonly runDir: string;
}

/** How each setting of `stop` is read and explained. */
export const STOP_SETTINGS: {
  readonly [Key in keyof StopSettings]: Setting<StopSettings[Key]>;
} = {
  withdraw: booleanSetting({
    default: false,
    help: "Give the addresses to the successors first, then end keepalived and nginx too.",
  }),
  stateDir: {
    ...AGENT_SETTINGS.stateDir,
    help:
      "The agent's, with its ledger; or that of `fairlead run`, whose agent keeps its own in the " +
      "folder `agent` below it.",
  },
  runDir: {
    ...AGENT_SETTINGS.runDir,
    help: "The agent's. Where none ever was, nothing is touched and the exit code is 1.",
  },
};

/** What single settings cannot say: what is missing, or does not go together. */
export function checkAgentFlags({
  settings,
}: GivenSettings<AgentSettingsTable>): readonly Complaint[] {
  const complaints: Complaint[] = [];
  // The default is the host's name, which may be none that an agent can have.
  if (settings.name !== undefined && !isSubdomain(settings.name)) {
    const why = `the host's name ${quoteValue(settings.name)} is none that an agent can have`;
    const todo = "give one of lower-case letters, digits, dashes, dots";
    complaints.push({ what: "--name", why, todo, code: "MissingSetting" });
  }
  const hasController = (settings.controller ?? []).length > 0;
  if (hasController && settings.insecure === false) complaints.push(NO_TLS);
  complaints.push(...checkServiceNetworks(settings.serviceNetworks));
  const { listenMetrics, listenDebug } = settings;
  complaints.push(...checkListenPlaces({ listenMetrics, listenDebug }));
  return complaints;
}

/** What is wrong with networks of service addresses that were given. */
export function checkServiceNetworks(
  networks: readonly string[] = SERVICE_NETWORKS,
): readonly Complaint[] {
  if (parseServiceRanges(networks) !== undefined) return [];
  const given = networks.map(quoteValue).join(", ");
  const why = `${given} are no networks that service addresses can have`;
  const todo = `give ${SERVICE_NETWORKS_FORM}`;
  return [{ what: "--service-networks", why, todo, code: "BadValue" }];
}

/** The networks that an agent with these settings will use: members in nginx's file need none. */
export function usedServiceNetworks(
  settings: Pick<AgentSettings, "memberSwitch" | "serviceNetworks">,
): readonly string[] {
  return settings.memberSwitch === "nginx" ? [] : settings.serviceNetworks;
}

const NO_TLS: Complaint = {
  what: "--insecure",
  why: "the stream has no TLS until it is built, and that has to be asked for",
  todo: "add --insecure if only trusted hosts are between here and the controller",
  code: "MissingSetting",
};
