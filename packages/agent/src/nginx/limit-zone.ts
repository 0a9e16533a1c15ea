// In which zone a rendered nginx.conf counts connections against their limits. All generations of
// one master count in the zone of one name, so a listener's connections outlive reloads in it; but
// workers that are ended, and do not end by themselves, leave there what they had counted. Pure:
// text in, text out.

/** As rendered, and with the number that this file gives it. */
const ZONE = /\blimit_conn_zone \S+ zone=[a-z_]+?(?:_([0-9]+))?:/;
const NAMES = /(\blimit_conn_zone \S+ zone=|\blimit_conn )([a-z_]+)(?=[: ])/g;

/**
 * Since when connections are counted in the zone of a file, in clock ticks since boot; 0: since
 * nginx has it. Undefined: the file limits nothing.
 */
export function zoneSinceOf(text: string): number | undefined {
  const found = ZONE.exec(text);
  return found === null ? undefined : Number(found[1] ?? 0);
}

/** A rendered file that counts in the zone of this moment: where it is new, all begins at none. */
export function withZoneSince(text: string, sinceTicks: number): string {
  return sinceTicks === 0 ? text : text.replaceAll(NAMES, `$1$2_${sinceTicks}`);
}
