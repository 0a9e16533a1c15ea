// Reads where a command shall ask, from an option or its variable. Given text from people; what is
// no place is refused before anybody is asked.

import { InvalidArgumentError } from "commander";

import { formatHostPort, HOST_PORT_FORMS, parseHostPort } from "@fairlead/runtime";

/** A place as gRPC takes it, "HOST:PORT"; without a host it is on this machine. */
export function readPlace(text: string): string {
  const place = parseHostPort(text, "127.0.0.1");
  if (place !== undefined && place.port > 0) return formatHostPort(place);
  throw new InvalidArgumentError(`Give ${HOST_PORT_FORMS}.`);
}
