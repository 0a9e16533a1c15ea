// The three spellings of one setting: key fooBar, flag --foo-bar, variable FAIRLEAD_FOO_BAR. Given
// the key of the table.

/** The flag of a key, without its dashes: fooBar -> foo-bar. */
export function flagOf(key: string): string {
  return key.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}

/** The variable of a key: fooBar -> FAIRLEAD_FOO_BAR. */
export function variableOf(key: string): string {
  return `FAIRLEAD_${flagOf(key).replaceAll("-", "_").toUpperCase()}`;
}
