// What process 1 of the stage and of every host runs: a shell script each, constant text that takes
// its values as arguments. It reaps orphans, because the shell waits for any child, and it ends
// with its standard input, because that is the lifeline to the process that made the lab.

/**
 * Waits for the end of the lifeline. A shell that waits for `cat` collects every other child that
 * ends meanwhile. The `exit` keeps the shell from replacing itself with cat.
 */
const WAIT = `
echo ready
cat >/dev/null
exit 0
`;

/**
 * The stage: a /run and logs of its own, and a bridge firewall that can lose frames. Bridged
 * packets stay out of the firewall of routed ones, which would see them on some machines.
 */
export const STAGE_INIT: string = `
set -eu
mount -n -t tmpfs -o mode=0755 tmpfs /run
mount -n -t tmpfs -o mode=0755 tmpfs /var/log
mkdir /run/hosts
hostname lab
ip link set lo up
for setting in /proc/sys/net/bridge/bridge-nf-call-*; do
  if [ -w "$setting" ]; then echo 0 >"$setting"; fi
done
nft -f - <<'RULES'
table bridge lab {
  set isolated { type ifname; }
  set parted { type ifname . ifname; }
  set muted { type ifname . inet_proto; }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname @isolated drop
    oifname @isolated drop
    iifname . oifname @parted drop
    iifname . ip protocol @muted drop
    oifname . ip protocol @muted drop
    iifname . ip6 nexthdr @muted drop
    oifname . ip6 nexthdr @muted drop
  }
}
RULES
${WAIT}`;

/**
 * A host: arguments are its name, then pairs of a path below /proc/sys and its value. Its folder
 * of the stage becomes /run/host and outlives the host; the rest of /run and the logs are its own
 * and are lost with it. Its boot has an id of its own, as each boot of a machine has: programs tell
 * by it that nothing of before is there any more.
 */
export const HOST_INIT: string = `
set -eu
mkdir -p "/run/hosts/$1" /run/next
mount -n -t tmpfs -o mode=0755 tmpfs /run/next
mkdir /run/next/host
mount -n --bind "/run/hosts/$1" /run/next/host
mount -n --move /run/next /run
mount -n -t tmpfs -o mode=0755 tmpfs /var/log
mkdir /var/log/nginx
mount -n -t sysfs sysfs /sys
cat /proc/sys/kernel/random/uuid >/run/boot_id
mount -n --bind /run/boot_id /proc/sys/kernel/random/boot_id
rm /run/boot_id
hostname "$1"
ip link set lo up
shift
while [ $# -gt 1 ]; do
  printf '%s\\n' "$2" >"/proc/sys/$1"
  shift 2
done
${WAIT}`;

/** A place on loopback: a folder of its own in memory, on the machine's own network. */
export const LOOPBACK_INIT: string = `
set -eu
mount -n -t tmpfs -o mode=0755 tmpfs /run
mkdir /run/cluster
${WAIT}`;
