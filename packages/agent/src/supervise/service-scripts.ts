// The scripts of the services, as text: fixed words and checked absolute paths, no value of a
// user. Pure. What they do must work without an agent, because the data plane outlives it.

import { assert } from "@fairlead/model";
import {
  type DataPlaneLayout,
  type DataPlanePrograms,
  type NginxLayout,
  isPlainPath,
} from "../data-plane-layout.ts";
import { leftoversScript } from "./leftovers-script.ts";

/** One file of a service's folder. */
export interface ServiceFile {
  /** Relative to the service folder's parent: `nginx/run`. */
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/** A service's name, which is that of its folder. */
export type ServiceName = "keepalived" | "nginx" | "nginx-udp";

/** A daemon that hangs while it ends is killed after this long; keepalived needs 1 to 2 s. */
const KILL_AFTER_MS = 8000;
/** The finish script may take 4 s to end what is left, then sweeps. */
const FINISH_MS_MAX = 9000;
/**
 * What outlives its parent has this long to end by itself, in ms: keepalived gives its addresses up
 * in a fifth of it, and while it does not, two hosts have them.
 */
const KEEPALIVED_GRACE_MS = 200;
const NGINX_GRACE_MS = 3000;
/** About 2 MB a daemon. */
const LOG_FILES = 20;
const LOG_FILE_BYTES = 100_000;

/** Sweeps what a killed keepalived left, where none of ours lives. For whoever starts anew. */
export const SWEEP_DEAD = "keepalived/sweep-dead";

/** All files of the services. */
export function serviceFiles(layout: DataPlaneLayout, programs: DataPlanePrograms): ServiceFile[] {
  const { nginx, keepalived, ip, s6Svscan } = programs;
  for (const path of [nginx, keepalived, ip, s6Svscan]) {
    assert(isPlainPath(path), "programs have plain paths");
  }
  return [
    ...commonFiles(
      { name: "keepalived", graceMs: KEEPALIVED_GRACE_MS, ...layout.keepalived },
      programs,
    ),
    script("keepalived/run", keepalivedRun(layout, programs)),
    script("keepalived/finish", keepalivedFinish(layout, programs)),
    script(SWEEP_DEAD, keepalivedSweepDead(layout, programs)),
    ...nginxFiles("nginx", layout, layout.nginx, programs),
    ...nginxFiles("nginx-udp", layout, layout.nginxUdp, programs),
  ];
}

function nginxFiles(
  name: ServiceName,
  layout: DataPlaneLayout,
  place: NginxLayout,
  programs: DataPlanePrograms,
): ServiceFile[] {
  const dir = `${layout.serviceDir}/${name}`;
  const leftovers = `${dir}/leftovers`;
  const { dataPath, dataPathUdp } = layout.keepalived;
  const tells = tellLanes(name === "nginx" ? dataPath : dataPathUdp);
  // The one for UDP is ended for good when the last of its listeners goes, and takes no lane along.
  const unless = name === "nginx" ? "" : `[ -e '${dir}/down' ] || `;
  return [
    ...commonFiles({ name, graceMs: NGINX_GRACE_MS, ...place }, programs),
    script(`${name}/run`, nginxRun(place, { leftovers, tells }, programs)),
    script(`${name}/finish`, nginxFinish({ leftovers, tells, unless })),
  ];
}

function commonFiles(
  place: {
    readonly name: ServiceName;
    readonly graceMs: number;
    readonly incarnation: string;
    readonly logDir: string;
  },
  programs: DataPlanePrograms,
): ServiceFile[] {
  const { name, graceMs, incarnation: record } = place;
  return [
    plain(`${name}/leftovers`, leftoversScript({ record, program: programOf(name), graceMs })),
    plain(`${name}/timeout-kill`, `${KILL_AFTER_MS}\n`),
    plain(`${name}/timeout-finish`, `${FINISH_MS_MAX}\n`),
    script(`${name}/log/run`, logRun(place.logDir, programs)),
  ];
}

function programOf(name: ServiceName): "keepalived" | "nginx" {
  return name === "keepalived" ? "keepalived" : "nginx";
}

function logRun(logDir: string, programs: DataPlanePrograms): string {
  const s6Log = `${programs.s6Svscan.slice(0, programs.s6Svscan.lastIndexOf("/"))}/s6-log`;
  // Not with -b: on a full disk it would stop to read, and the daemon would hang in its own words.
  return `#!/bin/sh
exec 2>&1
exec '${s6Log}' n${LOG_FILES} s${LOG_FILE_BYTES} T '${logDir}'
`;
}

/** A worker that was seen as often, 50 ms apart, has not died of what killed the one before. */
const SERVES_LOOKS = 4;

/** Addresses of a killed keepalived stay in the kernel: without the sweep two hosts own them. */
function sweepFunction(layout: DataPlaneLayout, programs: DataPlanePrograms): string {
  const { sweep } = layout.keepalived;
  return `# Removes every address that the ended keepalived may have left.
sweep() {
  [ -s '${sweep}' ] || return 0
  '${programs.ip}' -force -batch '${sweep}' >/dev/null 2>&1
  return 0
}
`;
}

function keepalivedRun(layout: DataPlaneLayout, programs: DataPlanePrograms): string {
  const { keepalived } = layout;
  return `#!/bin/sh
exec 2>&1
. '${layout.serviceDir}/keepalived/leftovers'
${sweepFunction(layout, programs)}
end_leftovers || {
  echo 'an earlier keepalived does not end, so no other is started'
  exit 1
}
sweep
# keepalived refuses to start when a stale file names a living process.
rm -f '${keepalived.pid}' '${keepalived.vrrpPid}'
cd '${keepalived.dir}' || exit 1
write_record
# -R: where its child is killed it ends, so that finish sweeps. It would start another one, later
# each time, and the addresses of the dead one would stay meanwhile.
exec '${programs.keepalived}' -n -P -R -l -G -f '${keepalived.config}' \\
  -p '${keepalived.pid}' -r '${keepalived.vrrpPid}'
`;
}

function keepalivedFinish(layout: DataPlaneLayout, programs: DataPlanePrograms): string {
  return `#!/bin/sh
exec 2>&1
. '${layout.serviceDir}/keepalived/leftovers'
${sweepFunction(layout, programs)}
# Whatever ended keepalived: its addresses leave now, not at the next start a second later.
end_leftovers && sweep
exit 0
`;
}

function keepalivedSweepDead(layout: DataPlaneLayout, programs: DataPlanePrograms): string {
  return `#!/bin/sh
. '${layout.serviceDir}/keepalived/leftovers'
${sweepFunction(layout, programs)}
leftovers_live || sweep
exit 0
`;
}

/** Lanes with a successor leave this host while 1 is in the file, and may come back at 0. */
function tellLanes(dataPath: string): string {
  return `# Says to keepalived whether the data path is down: 1 or 0. In place, as keepalived watches it.
tell_lanes() {
  echo "$1" >'${dataPath}'
}
`;
}

/** What the scripts of an instance of nginx begin with. */
interface NginxShell {
  /** The file that knows what an earlier one left. */
  readonly leftovers: string;
  /** Shell text that defines `tell_lanes`. */
  readonly tells: string;
}

function nginxRun(
  nginx: NginxLayout,
  { leftovers, tells }: NginxShell,
  programs: DataPlanePrograms,
): string {
  return `#!/bin/sh
exec 2>&1
. '${leftovers}'
end_leftovers || {
  echo 'workers of an earlier nginx do not end, so no other is started'
  exit 1
}
rm -f '${nginx.dir}'/*.sock
cd '${nginx.dir}' || exit 1
# Each listener is a file of the master: its limit bounds them, not worker_rlimit_nofile.
ulimit -n "$(ulimit -H -n)"
${tells}
# Sets "worker" to the first worker of the master $1, if any. None of these files ends its line.
worker_of() {
  worker=
  children=
  read -r children <"/proc/$1/task/$1/children"
  for child in $children; do
    title=
    IFS= read -r title <"/proc/$child/cmdline"
    case $title in
      'nginx: worker process'*) worker=$child && return ;;
    esac
  done
}

# An agent says it as soon as nginx answers. Without one: when a worker has lived for a while.
serves_on() {
  looks=0
  same=
  while [ -d "/proc/$1" ] && [ "$looks" -lt ${SERVES_LOOKS} ]; do
    worker_of "$1"
    [ -n "$worker" ] && [ "$worker" = "$same" ] && looks=$((looks + 1)) || looks=0
    same=$worker
    sleep 0.05
  done 2>/dev/null
  [ "$looks" -ge ${SERVES_LOOKS} ] && tell_lanes 0
}
# Twice forked, or nginx would have a child that it does not know.
(serves_on "$$" &) </dev/null >/dev/null 2>&1
# nginx would take sockets over that this variable names.
unset NGINX
write_record
exec '${programs.nginx}' -p '${nginx.dir}/' -c '${nginx.config}' -e stderr
`;
}

function nginxFinish({ leftovers, tells, unless }: NginxShell & { unless: string }): string {
  return `#!/bin/sh
exec 2>&1
. '${leftovers}'
${tells}
# First of all: who waits for the workers would lose what comes meanwhile.
${unless}tell_lanes 1
# Workers of a killed master keep the ports.
end_leftovers
exit 0
`;
}

function script(path: string, text: string): ServiceFile {
  return { path, text, executable: true };
}

function plain(path: string, text: string): ServiceFile {
  return { path, text, executable: false };
}
