// Where the files of one agent's data plane lie, all below its run directory, so that several
// agents on one machine never meet. Pure: paths in, paths out; nothing is made here.

import { join } from "node:path";
import { dataPathTrackFile, dataPathUdpTrackFile } from "@fairlead/render";
import { EdgeError } from "@fairlead/runtime";

/** Every path of one agent's data plane. All absolute and of the closed grammar. */
export interface DataPlaneLayout {
  readonly runDir: string;
  /** The folder that s6-svscan looks after. */
  readonly serviceDir: string;
  /** Logs of the daemons, one folder each, bounded by s6-log. */
  readonly logDir: string;
  /** What s6-svscan and s6-supervise themselves say. */
  readonly scannerLog: string;
  /** Long scripts for nft, while it reads them. */
  readonly nftScripts: { readonly guard: string; readonly members: string };
  readonly keepalived: {
    readonly dir: string;
    readonly config: string;
    /** Where a file waits while keepalived checks it. */
    readonly candidate: string;
    /** The file that keepalived said it took. */
    readonly taken: string;
    /** Commands for `ip -batch` that remove every address keepalived may have added. */
    readonly sweep: string;
    /** One file a lane; 1 in it takes the lane off this host. */
    readonly trackDir: string;
    /** One of them for all lanes with a successor: 1 while the data path cannot serve. */
    readonly dataPath: string;
    /** Another one for those with listeners over UDP: 1 while UDP's own nginx is dead. */
    readonly dataPathUdp: string;
    /** Which process leads the daemon, written by its run script. */
    readonly incarnation: string;
    readonly pid: string;
    readonly vrrpPid: string;
    readonly logDir: string;
  };
  /** The instance for TCP. */
  readonly nginx: NginxLayout & {
    /** Which service address each listener has, of both instances. */
    readonly places: string;
  };
  /** The instance for UDP, which a flood of clients may exhaust without harm to the other one. */
  readonly nginxUdp: NginxLayout;
}

/** Every path of one instance of nginx. */
export interface NginxLayout {
  readonly dir: string;
  readonly config: string;
  /** Where a file waits while nginx checks it. */
  readonly candidate: string;
  /** The file before, as long as the new one has not been proved: how far a hand-over came. */
  readonly earlier: string;
  /** The last one that nginx's check refused, for whoever reads its words. */
  readonly refused: string;
  /** Which process leads the daemon, written by its run script. */
  readonly incarnation: string;
  readonly pid: string;
  /**
   * The unix socket on which the workers of one generation answer with its id. Each has its own:
   * on a common one the workers before answer first until they end, 100 ms after a reload.
   * @param generation its id, 16 hex digits.
   */
  readonly probeSocket: (generation: string) => string;
  /** What that one leads to, so that an answer proves that the workers can connect. */
  readonly answerSocket: (generation: string) => string;
  /** For nginx.conf: its words go to its log through the supervisor, which bounds them. */
  readonly errorLog: "stderr";
  readonly logDir: string;
}

/** Programs of the data plane, as absolute paths. */
export interface DataPlanePrograms {
  readonly nginx: string;
  readonly keepalived: string;
  readonly ip: string;
  /** s6-svscan; the other programs of s6 lie beside it. */
  readonly s6Svscan: string;
  /**
   * Folder for the services' scripts where the run directory's file system runs no programs (/run
   * is such a one on many hosts). Absent: scripts lie in the run directory.
   */
  readonly scriptDir?: string;
}

/** A path that a shell script, nginx and keepalived all read as one plain word. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)+$/;

/** unix(7) allows 107 characters; the longest socket below the run directory needs this many. */
const RUN_DIR_LENGTH_MAX = 107 - "/nginx-udp/0123456789abcdef.id.sock".length;

/** Whether every program of the data plane reads the path as one plain word. */
export function isPlainPath(path: string): boolean {
  return PLAIN_PATH.test(path);
}

/** Why a run directory cannot be used; undefined when it can. Lower case, without the path. */
export function runDirProblem(runDir: string): string | undefined {
  if (!isPlainPath(runDir)) {
    return "it must be an absolute path of letters, digits, dots, dashes and underscores";
  }
  if (runDir.length > RUN_DIR_LENGTH_MAX) {
    return `it must have at most ${RUN_DIR_LENGTH_MAX} characters, or its sockets cannot be bound`;
  }
  return undefined;
}

/** All paths below a run directory. Throws EdgeError "BAD_PATH" when it cannot be used. */
export function dataPlaneLayout(runDir: string): DataPlaneLayout {
  const problem = runDirProblem(runDir);
  if (problem !== undefined) {
    const message = `run directory ${JSON.stringify(runDir)} cannot be used: ${problem}`;
    throw new EdgeError({ code: "BAD_PATH", message, retryable: false });
  }
  const logDir = join(runDir, "log");
  const keepalived = join(runDir, "keepalived");
  const trackDir = join(keepalived, "track");
  return {
    runDir,
    serviceDir: join(runDir, "service"),
    logDir,
    scannerLog: join(logDir, "s6-svscan.log"),
    nftScripts: { guard: join(runDir, "guard.nft"), members: join(runDir, "members.nft") },
    keepalived: {
      dir: keepalived,
      config: join(keepalived, "keepalived.conf"),
      candidate: join(keepalived, "candidate.conf"),
      taken: join(keepalived, "taken"),
      sweep: join(keepalived, "sweep"),
      trackDir,
      dataPath: dataPathTrackFile(trackDir),
      dataPathUdp: dataPathUdpTrackFile(trackDir),
      incarnation: join(keepalived, "incarnation"),
      pid: join(keepalived, "keepalived.pid"),
      vrrpPid: join(keepalived, "vrrp.pid"),
      logDir: join(logDir, "keepalived"),
    },
    nginx: { ...nginxLayout(runDir, "nginx"), places: join(runDir, "nginx", "places") },
    nginxUdp: nginxLayout(runDir, "nginx-udp"),
  };
}

function nginxLayout(runDir: string, name: string): NginxLayout {
  const dir = join(runDir, name);
  return {
    dir,
    config: join(dir, "nginx.conf"),
    candidate: join(dir, "candidate.conf"),
    earlier: join(dir, "earlier.conf"),
    refused: join(dir, "refused.conf"),
    incarnation: join(dir, "incarnation"),
    pid: join(dir, "nginx.pid"),
    probeSocket: (generation) => join(dir, `${generation}.sock`),
    answerSocket: (generation) => join(dir, `${generation}.id.sock`),
    errorLog: "stderr",
    logDir: join(runDir, "log", name),
  };
}
