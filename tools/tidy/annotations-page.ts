// The reference page of annotations, made from the controller's tables: one row a wish, in the
// order of its words. Given the tables; returns the page's text. The page is a golden file.

import type { WishWords } from "@fairlead/controller";

const HEAD = `# Annotations

<!-- Made from packages/controller/src/sources/wish-words.ts by \`npm run golden\`. Do not edit. -->

What a Service may ask for beyond its fields, as an annotation or as a label.
Names that people bring along from other load balancers are read too, as annotations.
Two that say different things are refused (\`ConflictingWishes\`).
A value that cannot be is refused where it would change what bytes mean.
Elsewhere it is left out and said (\`BadField\`), as is a name of ours that there is not.
Lengths of time have a unit: \`100ms\`, \`10s\`, \`1m30s\`.

| annotation | values | what it does | other names |
|---|---|---|---|
`;

/**
 * The text of docs/reference/annotations.md.
 * @param aliases names of others, by the wish.
 */
export function annotationsPage(
  prefix: string,
  words: Readonly<Record<string, WishWords>>,
  aliases: Readonly<Record<string, readonly string[]>>,
): string {
  const rows = Object.entries(words).map(([wish, { values, says }]) => {
    const others = (aliases[wish] ?? []).map((name) => `\`${name}\``).join(" ");
    return `| \`${prefix}${wish}\` | ${values} | ${says} | ${others} |\n`;
  });
  return HEAD + rows.join("");
}
