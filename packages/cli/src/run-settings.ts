// The settings of `fairlead run`: the controller's and the agent's tables as one, with both states
// below one state directory. Pure.

import { join } from "node:path";

import { AGENT_SETTINGS, type AgentSettings, checkServiceNetworks } from "@fairlead/agent";
import {
  checkControllerFlags,
  CONTROLLER_SETTINGS,
  type ControllerFlags,
  type ControllerSettings,
  controllerSettings,
  sqlitePath,
} from "@fairlead/controller";
import {
  booleanSetting,
  type Complaint,
  formatHostPort,
  type GivenSettings,
  type HostPort,
  hostPortSetting,
  isLoopbackHost,
  type Setting,
} from "@fairlead/runtime";

/** The values of the flags of `fairlead run`. */
export interface RunFlags
  extends
    ControllerFlags,
    Pick<
      AgentSettings,
      | "name"
      | "link"
      | "runDir"
      | "listenDebug"
      | "workerProcesses"
      | "askBeforeUse"
      | "memberSwitch"
      | "serviceNetworks"
      | "generationsMax"
    > {
  /** Whether everything goes on being served when the command ends. */
  readonly keepOnExit: boolean;
}

/** How each flag is read and explained. */
export type RunSettingsTable = {
  readonly [Key in keyof RunFlags]: Setting<RunFlags[Key]>;
};

/** The settings of `fairlead run`, as `readSettings` wants them. */
export const RUN_SETTINGS: RunSettingsTable = {
  ...CONTROLLER_SETTINGS,
  name: AGENT_SETTINGS.name,
  link: AGENT_SETTINGS.link,
  runDir: AGENT_SETTINGS.runDir,
  listenDebug: AGENT_SETTINGS.listenDebug,
  workerProcesses: AGENT_SETTINGS.workerProcesses,
  generationsMax: AGENT_SETTINGS.generationsMax,
  askBeforeUse: AGENT_SETTINGS.askBeforeUse,
  memberSwitch: AGENT_SETTINGS.memberSwitch,
  serviceNetworks: AGENT_SETTINGS.serviceNetworks,
  stateDir: {
    ...CONTROLLER_SETTINGS.stateDir,
    help:
      "What must outlive it: of the controller in the folder `controller` below it, of the agent " +
      "in `agent`.",
  },
  store: {
    ...CONTROLLER_SETTINGS.store,
    help:
      "Where leases are kept: a file of this host, an etcd, or objects of the cluster. By default " +
      "in controller/store.db in the state directory.",
  },
  keepOnExit: booleanSetting({
    default: false,
    help:
      "Leaves addresses, keepalived and nginx as they are when it ends, also on signals. By " +
      "default it removes what it added. `fairlead-agent stop --withdraw` with the same " +
      "--state-dir and --run-dir removes what was kept.",
  }),
  listenAgents: hostPortSetting({
    default: { host: "127.0.0.1", port: 7702 },
    help: "Where agents connect; its own does over the loopback. Elsewhere needs --insecure.",
  }),
};

/** What single flags cannot say. Speaking over the loopback alone needs no TLS. */
export function checkRunFlags(
  given: GivenSettings<RunSettingsTable>,
  env: Readonly<Record<string, string | undefined>>,
): readonly Complaint[] {
  const { listenAgents } = given.settings;
  const isLocal = listenAgents !== undefined && isLoopbackHost(listenAgents.host);
  const settings = {
    ...given.settings,
    ...(isLocal ? { insecure: true } : {}),
    ...(given.named.has("store") ? {} : { store: ownStore(given.settings.stateDir ?? "") }),
  };
  const networks = checkServiceNetworks(settings.serviceNetworks);
  const { listenDebug } = settings;
  return [...checkControllerFlags({ ...given, settings }, env, { listenDebug }), ...networks];
}

/** The settings of the controller's half. */
export function controllerHalf(
  flags: RunFlags,
  rest: Readonly<Record<string, unknown>>,
): ControllerSettings {
  const stateDir = join(flags.stateDir, "controller");
  const store = flags.store ?? ownStore(stateDir);
  const settings = controllerSettings({ ...flags, stateDir, store }, rest, "one host");
  return { ...settings, emptiesOnExit: !flags.keepOnExit };
}

/** Its agent has no other controller to turn to: its own leads, also inside of a cluster. */
function ownStore(stateDir: string): string {
  return `sqlite:${sqlitePath(stateDir)}`;
}

/** Who listens on all addresses does on those of the loopback. */
const EVERYWHERE: ReadonlySet<string> = new Set(["::", "0.0.0.0"]);

/** Where the agent of this host reaches the controller that listens at a place. */
function reachedAt({ host, port }: HostPort): string {
  return formatHostPort({ host: EVERYWHERE.has(host) ? "127.0.0.1" : host, port });
}

/**
 * The settings of the agent's half, which connects to where the `controller` listens; undefined: to
 * nobody.
 */
export function agentHalf(flags: RunFlags, controller: HostPort | undefined): AgentSettings {
  const { name, link, runDir, workerProcesses, logLevel, logFormat } = flags;
  const { listenMetrics, listenDebug, generationsMax } = flags;
  const { askBeforeUse, memberSwitch, serviceNetworks } = flags;
  return {
    name,
    link,
    runDir,
    workerProcesses,
    generationsMax,
    logLevel,
    logFormat,
    listenMetrics,
    listenDebug,
    askBeforeUse,
    controller: controller === undefined ? [] : [reachedAt(controller)],
    stateDir: join(flags.stateDir, "agent"),
    memberSwitch,
    serviceNetworks,
    insecure: true,
  };
}
