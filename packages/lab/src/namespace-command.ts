// The command lines that make namespaces and enter them (unshare and nsenter of util-linux). Given
// plain values, pure. It must never join text into a shell command.

/** Who the processes are, and which namespaces they have besides those that all of them have. */
export interface LabUser {
  /** Whether the outer process makes a user namespace in which it is root. */
  readonly userNamespace: boolean;
  /** The machine's user to become first. Undefined: the calling one. */
  readonly identity: Identity | undefined;
  /** Whether its processes use the machine's own network. Default: no. */
  readonly sharesNetwork?: boolean;
}

/** A user of the machine, by numbers. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** What namespaces are made, or entered. */
type Kinds = Pick<LabUser, "userNamespace" | "sharesNetwork">;

/** Everything a host has of its own but its network. Users are the lab's, so they are not here. */
const KINDS = ["--mount", "--uts", "--ipc", "--pid"] as const;

/**
 * The command that makes new namespaces and runs `init` as process 1 in them. When the process of
 * this command dies, also by SIGKILL, the kernel ends the init and with it all that runs inside.
 */
export function unshareCommand(init: readonly string[], options: Kinds): readonly string[] {
  const user = options.userNamespace ? ["--user", "--map-root-user"] : [];
  return [
    "unshare",
    ...user,
    ...network(options),
    ...KINDS,
    "--fork",
    "--kill-child",
    "--mount-proc",
    "--",
    ...init,
  ];
}

/** The command that runs `command` in all namespaces of the process `pid` of the machine. */
export function enterCommand(
  pid: number,
  command: readonly string[],
  options: Kinds,
): readonly string[] {
  // Credentials are kept: the user's own id already is root in there, and setgroups is forbidden.
  const user = options.userNamespace ? ["--user", "--preserve-credentials"] : [];
  return ["nsenter", `--target=${pid}`, ...user, ...network(options), ...KINDS, "--", ...command];
}

function network(options: Kinds): readonly string[] {
  return options.sharesNetwork === true ? [] : ["--net"];
}

/**
 * Wraps a command so that it says its process id, as seen in there, on descriptor 3, which it does
 * not keep, and starts in `directory`. The id comes only when the namespaces have been entered.
 */
export function announcingCommand(
  directory: string,
  command: readonly string[],
): readonly string[] {
  const script = 'echo $$ >&3; cd "$1" || exit 126; shift; exec "$@" 3>&-';
  return ["sh", "-c", script, "sh", directory, ...command];
}
