// What stands behind a Service, for claims that are not Services and name one. The source that sees
// Services offers it, and whoever puts the program together hands it on: no source knows another.

import type { NodeObject } from "./node-object.ts";
import type { ServiceObject } from "./service-object.ts";
import type { SliceObject } from "./slice-object.ts";

/** What members of a Service are made of. */
export interface ServiceBackend {
  readonly service: ServiceObject;
  readonly slices: readonly SliceObject[];
  readonly nodes: readonly NodeObject[];
  /** `ADDRESS PORT` of API servers, which are never members. */
  readonly apiServers?: ReadonlySet<string>;
}

/** Finds what stands behind Services. */
export interface ServiceBackends {
  /** `namespace/name`; undefined: there is no such Service, or none that can be used. */
  find(key: string): ServiceBackend | undefined;
  /** Calls `listener` whenever some Service may have another backend. */
  onChange(listener: () => void): void;
}
