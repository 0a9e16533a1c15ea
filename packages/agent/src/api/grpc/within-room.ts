// Keeps answers small enough for clients with gRPC's usual limit of 4 MiB, such as grpcurl. Pure.
// Sizes are upper bounds: an answer may have had room for more.

/** Bytes for the long part of an answer; its other parts need much less than what is left. */
export const ROOM_BYTES: number = 2.5 * 1024 * 1024;

/** What a row needs besides its name and the words about it, in bytes: hashes, codes, evidence. */
const ROW_BYTES = 200;
/** UTF-8 needs at most this for a UTF-16 unit. */
const BYTES_PER_UNIT = 3;

/** What there is room for. */
export interface WithinRoom<T> {
  readonly taken: readonly T[];
  /** How many were not taken. */
  readonly leftOut: number;
}

/**
 * Takes values from the start as long as there is room.
 * @param bytesOf at least as much as the value needs on the wire.
 */
export function takeWithinRoom<T>(
  values: readonly T[],
  bytesOf: (value: T) => number,
): WithinRoom<T> {
  let room = ROOM_BYTES;
  const end = values.findIndex((value) => {
    room -= bytesOf(value);
    return room < 0;
  });
  const taken = end < 0 ? values : values.slice(0, end);
  return { taken, leftOut: values.length - taken.length };
}

/** The room of a row that has a name and words of somebody about it, in bytes. */
export function rowBytes(name: string, detail: string): number {
  return ROW_BYTES + name.length + detail.length * BYTES_PER_UNIT;
}
