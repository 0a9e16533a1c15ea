// Collects the licenses of everything that a bundle is made of: most of them ask to travel with the
// code. Given the paths of the bundle's inputs. A package without a license file is an error.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const PACKAGE = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//;

/**
 * @param {string} root what the inputs are relative to
 * @param {readonly string[]} inputs
 * @returns {string} one section a package, sorted by name
 */
export function collectLicenses(root, inputs) {
  /** @type {Map<string, string>} */
  const folders = new Map();
  for (const input of inputs) {
    const [, folder, name] = PACKAGE.exec(input) ?? [];
    if (folder !== undefined && name !== undefined) folders.set(name, join(root, folder));
  }
  const sections = [...folders].map(([name, folder]) => {
    const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
    if (file === undefined) throw new Error(`${name} has no license file in ${folder}`);
    return `${name}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  return sections.toSorted().join(`\n${"-".repeat(80)}\n\n`);
}
