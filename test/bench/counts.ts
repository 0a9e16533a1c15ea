// How many Services and rounds a bench of a cluster has. The environment makes them fewer, for a
// first try of a change: FAIRLEAD_BENCH_SERVICES and FAIRLEAD_BENCH_ROUNDS. Goals are those of the
// full counts.

/** So many Services, or what the environment allows. */
export function servicesOf(count: number): number {
  return Math.min(count, limit("FAIRLEAD_BENCH_SERVICES"));
}

/** So many rounds, or what the environment allows. */
export function roundsOf(count: number): number {
  return Math.min(count, limit("FAIRLEAD_BENCH_ROUNDS"));
}

function limit(name: string): number {
  const text = process.env[name] ?? "";
  if (text === "") return Number.POSITIVE_INFINITY;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`${name} is "${text}" and must be a whole number above 0`);
}
