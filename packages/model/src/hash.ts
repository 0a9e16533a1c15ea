// A small hash for spreading things: FNV-1a over code units, then the finaliser of MurmurHash3,
// which spreads the low entropy of similar names over all bits. It decides placement and slots, so
// it may never change: another hash would place every new VIP elsewhere. Not for security.

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The hash of a text: 0 to 2^32-1. */
export function hashText(text: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  }
  return mix(hash);
}

/** One hash of two, for rendezvous hashing: the score of `b` for `a`. */
export function hashPair(a: number, b: number): number {
  return mix(Math.imul(a, 0x9e3779b1) ^ b);
}

/** The finaliser of MurmurHash3 for 32 bits. */
function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
