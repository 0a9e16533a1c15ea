// How long the kernel may take for an answer over netlink.

/** The kernel answers within this, in ms, as the package wants it said. */
export const REQUEST_TIMEOUT: { readonly timeout: number } = { timeout: 5000 };
