// The scripts of the two services, as text: fixed words and checked absolute paths, no value of a
// user. Pure. What they do must work without an agent, because the data plane outlives it.

import { assert } from "@fairlead/model";
import { type DataPlaneLayout, type DataPlanePrograms, isPlainPath } from "../data-plane-layout.ts";
import { leftoversScript } from "./leftovers-script.ts";

/** One file of a service's folder. */
export interface ServiceFile {
  /** Relative to the service folder's parent: `nginx/run`. */
  readonly path: string;
  readonly text: string;
  readonly executable: boolean;
}

/** A daemon that hangs while it ends is killed after this long; keepalived needs 1 to 2 s. */
const KILL_AFTER_MS = 8000;
/** The finish script may take 4 s to end what is left, then sweeps. */
const FINISH_MS_MAX = 9000;
/** About 2 MB a daemon. */
const LOG_FILES = 20;
const LOG_FILE_BYTES = 100_000;

/** All files of the two services. */
export function serviceFiles(layout: DataPlaneLayout, programs: DataPlanePrograms): ServiceFile[] {
  const { nginx, keepalived, ip, s6Svscan } = programs;
  for (const path of [nginx, keepalived, ip, s6Svscan]) {
    assert(isPlainPath(path), "programs have plain paths");
  }
  return [
    ...commonFiles("keepalived", layout.keepalived, programs),
    script("keepalived/run", keepalivedRun(layout, programs)),
    script("keepalived/finish", keepalivedFinish(layout, programs)),
    ...commonFiles("nginx", layout.nginx, programs),
    script("nginx/run", nginxRun(layout, programs)),
    script("nginx/finish", nginxFinish(layout)),
  ];
}

function commonFiles(
  name: string,
  place: { readonly dir: string; readonly logDir: string },
  programs: DataPlanePrograms,
): ServiceFile[] {
  const record = `${place.dir}/incarnation`;
  return [
    plain(`${name}/leftovers`, leftoversScript({ record, program: name })),
    plain(`${name}/timeout-kill`, `${KILL_AFTER_MS}\n`),
    plain(`${name}/timeout-finish`, `${FINISH_MS_MAX}\n`),
    script(`${name}/log/run`, logRun(place.logDir, programs)),
  ];
}

function logRun(logDir: string, programs: DataPlanePrograms): string {
  const s6Log = `${programs.s6Svscan.slice(0, programs.s6Svscan.lastIndexOf("/"))}/s6-log`;
  return `#!/bin/sh
exec 2>&1
exec '${s6Log}' -b n${LOG_FILES} s${LOG_FILE_BYTES} T '${logDir}'
`;
}

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
exec '${programs.keepalived}' -n -P -l -G -f '${keepalived.config}' \\
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

function nginxRun(layout: DataPlaneLayout, programs: DataPlanePrograms): string {
  const { nginx } = layout;
  return `#!/bin/sh
exec 2>&1
. '${layout.serviceDir}/nginx/leftovers'
end_leftovers || {
  echo 'workers of an earlier nginx do not end, so no other is started'
  exit 1
}
rm -f '${nginx.dir}'/*.sock
cd '${nginx.dir}' || exit 1
# Each listener is a file of the master: its limit bounds them, not worker_rlimit_nofile.
ulimit -n "$(ulimit -H -n)"
# nginx would take sockets over that this variable names.
unset NGINX
write_record
exec '${programs.nginx}' -p '${nginx.dir}/' -c '${nginx.config}' -e stderr
`;
}

function nginxFinish(layout: DataPlaneLayout): string {
  return `#!/bin/sh
exec 2>&1
. '${layout.serviceDir}/nginx/leftovers'
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
