// The reference page of metrics, made from what the programs register: one row a metric, in the
// order of names. Given the registries; returns the page's text. The page is a golden file.

/** What of a registry the page is made from; prom-client's has it. */
export interface MetricNames {
  getMetricsAsArray(): readonly object[];
}

/** A program with its metrics. */
export interface MeasuredProgram {
  readonly program: string;
  /** Where /metrics is by default, as a flag has it; all listen on all addresses. */
  readonly listens: string | undefined;
  readonly registry: MetricNames;
}

/** One metric as it was registered. */
interface Registered {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
}

const HEAD = `# Metrics

<!-- Made from what the programs register by \`npm run golden\`. Do not edit. -->

Each program shows its metrics under \`/metrics\`, beside \`/healthz\` and \`/readyz\`.
Labels are of closed lists, or of pools, families and kinds: no name of a Service becomes one.
Some are there only where what they tell of is: a cluster, an IPAM service, an external pool.
`;

/** The text of docs/reference/metrics.md. */
export function metricsPage(programs: readonly MeasuredProgram[]): string {
  const chapters = programs.map(({ program, listens, registry }) => {
    const rows = registry
      .getMetricsAsArray()
      .map((metric) => rowOf(metric as Registered, metric.constructor.name.toLowerCase()))
      .toSorted();
    const head = "| metric | kind | labels | what it tells |\n|---|---|---|---|\n";
    const where = `By default on \`${listens}\`: all addresses, of IPv4 and IPv6.`;
    return `\n## ${program}\n\n${where}\n\n${head}${rows.join("")}`;
  });
  return HEAD + chapters.join("");
}

function rowOf({ name, help, labelNames }: Registered, kind: string): string {
  const labels = labelNames.map((label) => `\`${label}\``).join(", ");
  return `| \`${name}\` | ${kind} | ${labels} | ${help} |\n`;
}
