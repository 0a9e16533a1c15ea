// How often a property is tried, and from which seed: fewer runs in each test run, many by hand,
// and again the very run that failed. Read from the environment, so that no test is edited for it.

/** What fast-check is told. */
export interface PropertyRuns {
  readonly numRuns: number;
  /** Absent: another one each time. */
  readonly seed?: number;
  /** Where in the seed's runs the failure was; absent: all are played. */
  readonly path?: string;
}

/**
 * Runs of one property. `FAIRLEAD_PROPERTY_RUNS` plays more or fewer, `FAIRLEAD_PROPERTY_SEED` and
 * `FAIRLEAD_PROPERTY_PATH` those that fast-check named when it failed.
 * @param runsUsual how many when nothing else is asked for; at least 1.
 */
export function propertyRuns(runsUsual: number): PropertyRuns {
  const { env } = process;
  const seed = env["FAIRLEAD_PROPERTY_SEED"];
  const path = env["FAIRLEAD_PROPERTY_PATH"];
  return {
    numRuns: Number(env["FAIRLEAD_PROPERTY_RUNS"] ?? runsUsual),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
  };
}
