// Remembers the last result of a pure function. A host is looked at every second and may have
// thousands of resources: what is made of the very same parts as a second ago is not made again.

/**
 * The function, which for the very same parts gives the very same result as the last time. Parts
 * must be values that are replaced when they change, never changed in place.
 */
export function remembered<Parts extends readonly unknown[], Made>(
  make: (...parts: Parts) => Made,
): (...parts: Parts) => Made {
  let last: { readonly parts: Parts; readonly made: Made } | undefined;
  return (...parts) => {
    const known = last;
    if (known !== undefined && parts.every((part, at) => part === known.parts[at])) {
      return known.made;
    }
    const made = make(...parts);
    last = { parts, made };
    return made;
  };
}
