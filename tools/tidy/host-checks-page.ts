// The reference page of `fairlead check --host`, made from the agent's table: one row a kind of
// line. Given the table; returns the page's text. The page is a golden file.

import type { HostCheckEntry } from "@fairlead/agent";

/** The text of docs/reference/host-checks.md. */
export function hostChecksPage(checks: Readonly<Record<string, HostCheckEntry>>): string {
  const lines = [
    "# Checks of a host",
    "",
    "<!-- Made from packages/agent/src/preflight/host-line.ts by `npm run golden`. Do not edit. -->",
    "",
    "What `fairlead check --host` looks at. Nothing is changed by looking.",
    "Each line says what was found, whether that is well, and what to do.",
    "An error ends the command with 1; with warnings alone it ends with 0.",
    "Errors of `program`, `version`, `capability`, `nonlocal-bind`, `folder`, `link` and",
    "`service-network` are those that keep the agent from starting; it says them in the same words.",
    "",
    "| check | why it matters | a warning when | an error when |",
    "|---|---|---|---|",
  ];
  for (const [name, { why, warning = "never", error = "never" }] of Object.entries(checks)) {
    lines.push(`| \`${name}\` | ${cell(why)} | ${cell(warning)} | ${cell(error)} |`);
  }
  return `${lines.join("\n")}\n`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
