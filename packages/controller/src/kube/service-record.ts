// What is known of a Service besides what it asks for: who wrote it, what its status says, what
// keeps it from going. The source keeps the records and the publisher writes by them; neither
// knows the other. Types only.

/** Who wrote which part of an object, and when; out of managedFields. */
export interface FieldWriter {
  readonly manager: string;
  /** Parts of these: "spec", "status", "status.loadBalancer", "status.conditions", "finalizers". */
  readonly parts: readonly string[];
  /** RFC 3339, as the API server wrote it; absent where it did not. */
  readonly time?: string;
}

/** A condition as it stands in the status. */
export interface RecordedCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

/** One entry of status.loadBalancer.ingress. */
export interface RecordedIngress {
  readonly ip?: string;
  readonly hostname?: string;
  readonly ipMode?: string;
}

/** A Service as it was seen last. */
export interface ServiceRecord {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** spec.type: API servers let only a LoadBalancer have addresses in its status. */
  readonly type: string;
  /** Whether somebody deleted it and only finalizers keep it. */
  readonly isDeleting: boolean;
  readonly finalizers: readonly string[];
  readonly ingress: readonly RecordedIngress[];
  /** spec.externalIPs; absent: none. */
  readonly externalIPs?: readonly string[];
  /** Those of them that we wrote, by our own note of it; absent: none. */
  readonly writtenExternalIPs?: readonly string[];
  /** Those whose type starts with `fairlead.io/`. */
  readonly conditions: readonly RecordedCondition[];
  readonly writers: readonly FieldWriter[];
}

/** All Services as they were seen last. */
export interface ServiceBook {
  /** Undefined: there is none, as far as is known. */
  get(namespace: string, name: string): ServiceRecord | undefined;
  /** Every Service that carries our finalizer, our conditions or an address that we wrote. */
  marked(): Iterable<ServiceRecord>;
  /** Addresses of the cluster's nodes; undefined or absent: they were not listed yet. */
  nodeAddresses?(): ReadonlySet<string> | undefined;
  /** Begins to follow nodes where that was not done. Absent: it cannot. */
  followNodes?(): void;
  /** Called when those may be others. The returned function ends that. Absent like the above. */
  subscribeNodes?(onChange: () => void): () => void;
  /** Called for every Service that was seen anew or went. The returned function ends that. */
  subscribe(onChange: (namespace: string, name: string) => void): () => void;
}

/** Our finalizer. Cloud controllers remove the well-known one without looking at the class. */
export const FINALIZER = "fairlead.io/release";
/** The name under which a Service's status is written. */
export const STATUS_MANAGER = "fairlead-status";
/** The name under which our finalizer is written. */
export const FINALIZER_MANAGER = "fairlead-finalizer";
/** The name under which `spec.externalIPs` is written, with the note of what in it is ours. */
export const EXTERNAL_MANAGER = "fairlead-external-ips";
/** The annotation with that note: addresses with commas between. */
export const WRITTEN_EXTERNAL_IPS = "fairlead.io/written-external-ips";
/** The name under which Events are written. */
export const EVENT_MANAGER = "fairlead-events";
/** Our condition types start with it. */
export const CONDITION_PREFIX = "fairlead.io/";
