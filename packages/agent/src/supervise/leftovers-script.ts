// The shell text that both run and finish scripts of a daemon begin with: it knows the last
// incarnation by its record and ends what is left of it. Fixed text; the only values in it are a
// checked path and the program's name. It never signals a process that is not ours.

/** What the text is for. */
export interface LeftoversOptions {
  /** File that holds the record of the last incarnation. Plain path. */
  readonly record: string;
  /** The first 10 or so letters of the program's name as the kernel shows it. */
  readonly program: string;
  /** Ends what is left by SIGKILL when it has not ended this long after the request, in ms. */
  readonly graceMs: number;
}

/** How long the shell sleeps between two looks, in ms. */
const LOOK_MS = 50;

/**
 * Functions for POSIX shells. The record holds process group, boot id, PID-namespace and start
 * time of the leader, and counts for nothing when one of the last three differs. dash's own `kill`
 * takes no negative id, hence `env kill`, which is the program. A stopped process hears no request.
 */
export function leftoversScript(options: LeftoversOptions): string {
  return `# Ends what the last incarnation of this daemon left behind.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
record='${options.record}'
program='${options.program}'
grace='${Math.ceil(options.graceMs / LOOK_MS)}'
${GROUP}
${LEFTOVERS}`;
}

/** What is known of a process group. */
const GROUP = `read -r this_boot </proc/sys/kernel/random/boot_id
this_namespace=$(readlink /proc/self/ns/pid)

# Sets "start" to the start time of the process whose stat line is given.
start_of() {
  set -- \${1##*) }
  shift 19
  start=$1
}

# Whether a process of the group lives. Zombies are gone: only their parent has not noticed.
# Sets "stopped" when the one that was found is stopped.
group_lives() {
  stopped=
  for file in /proc/[0-9]*/stat; do
    IFS= read -r line <"$file" || continue
    case $line in
      *" ($program"*) ;;
      *) continue ;;
    esac
    set -- \${line##*) }
    [ "$3" = "$group" ] && [ "$1" != Z ] && [ "$1" != X ] || continue
    [ "$1" != T ] || stopped=1
    return 0
  done 2>/dev/null
  return 1
}

# Waits up to $1 times ${LOOK_MS} ms for the group to be gone.
group_ends() {
  left=$1
  while group_lives; do
    [ "$left" -gt 0 ] || return 1
    left=$((left - 1))
    sleep ${LOOK_MS / 1000}
  done
  return 0
}
`;

/** The functions that scripts call. */
const LEFTOVERS = `# Whether something of the last incarnation lives; sets "group" to its process group.
leftovers_live() {
  [ -r "$record" ] || return 1
  read -r group boot namespace recorded <"$record" || return 1
  case $group in
    '' | 0 | 1 | *[!0-9]*) return 1 ;;
  esac
  [ "$boot" = "$this_boot" ] || return 1
  [ "$namespace" = "$this_namespace" ] || return 1
  if IFS= read -r line 2>/dev/null <"/proc/$group/stat"; then
    start_of "$line"
    [ "$start" = "$recorded" ] || return 1
  fi
  group_lives
}

# Succeeds when nothing of the last incarnation is left.
end_leftovers() {
  leftovers_live || return 0
  echo "ending what the last $program left, process group $group"
  if [ -z "$stopped" ]; then
    env kill -TERM -- "-$group"
    group_ends "$grace" && return 0
  fi
  env kill -KILL -- "-$group"
  group_ends 20
}

# Written just before the shell becomes the daemon, which keeps its id and start time.
write_record() {
  IFS= read -r line </proc/self/stat
  start_of "$line"
  echo "$$ $this_boot $this_namespace $start" >"$record.new"
  mv "$record.new" "$record"
}
`;
