// A moment as people read it in the answers to acts. Pure.

/** Epoch ms to the second, in UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/u, "Z");
}
