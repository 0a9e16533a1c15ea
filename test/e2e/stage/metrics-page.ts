// Reads a page of metrics as strictly as Prometheus' own checker does: the text format 0.0.4. Given
// the page. Whatever it does not understand is an error that names the line.

/** One sample. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One family of samples. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const COMMENT = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const TYPES = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
};

/** The families of a page, by name. Throws with the first line that is wrong. */
export function parseMetricsPage(page: string): ReadonlyMap<string, Family> {
  if (!page.endsWith("\n")) throw new Error("the page does not end with a line feed");
  const families = new Map<
    string,
    { name: string; type: string; help: string; samples: Sample[] }
  >();
  let current: { name: string; type: string; help: string; samples: Sample[] } | undefined;
  const seen = new Set<string>();
  for (const line of page.split("\n")) {
    if (line === "") continue;
    const [, word, name = "", text = ""] = COMMENT.exec(line) ?? [];
    if (word === "HELP") {
      if (families.has(name)) throw new Error(`a second family: ${line}`);
      current = { name, type: "", help: text, samples: [] };
      families.set(name, current);
    } else if (word === "TYPE") {
      if (current?.name !== name || !TYPES.has(text)) throw new Error(`a wrong type: ${line}`);
      current.type = text;
    } else {
      const sample = parseSample(line);
      const key = `${sample.name} ${JSON.stringify(sample.labels)}`;
      if (seen.has(key)) throw new Error(`a sample twice: ${line}`);
      seen.add(key);
      if (current === undefined || !belongs(current, sample)) throw new Error(`astray: ${line}`);
      current.samples.push(sample);
    }
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}

function parseSample(line: string): Sample {
  const [, name, labelText, valueText = ""] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const value = valueText.replace("+Inf", "Infinity").replace("-Inf", "-Infinity");
  if (valueText !== "NaN" && Number.isNaN(Number(value))) throw new Error(`no number: ${line}`);
  const labels: Record<string, string> = {};
  const text = labelText ?? "";
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, label, content = ""] = LABEL.exec(text) ?? [];
    if (label === undefined || label in labels) throw new Error(`wrong labels: ${line}`);
    labels[label] = content;
  }
  return { name, labels, value: Number(value) };
}

function belongs(
  family: { readonly name: string; readonly type: string },
  sample: Sample,
): boolean {
  const suffixes = SUFFIXES[family.type] ?? [""];
  return suffixes.some((suffix) => sample.name === `${family.name}${suffix}`);
}

function checkFamily({ name, type, samples }: Family): void {
  if (type === "") throw new Error(`${name} has no type`);
  if (type === "counter" && !name.endsWith("_total")) throw new Error(`${name} lacks _total`);
  if (type === "counter" && samples.some(({ value }) => !(value >= 0))) {
    throw new Error(`${name} counts below zero`);
  }
  if (type !== "histogram") return;
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const counts = samples.filter((sample) => sample.name === `${name}_count`);
  const whole = buckets.filter(({ labels }) => labels["le"] === "+Inf");
  if (whole.length !== counts.length) throw new Error(`${name} has no bucket of all`);
}
