// Manifests of the stories, as objects: Services with those who answer, pools, and the text of a
// file. The text is JSON documents, which are YAML too, so any value stays the value it is.

/** One document of a manifest. */
export type Document = Readonly<Record<string, unknown>>;

/** What a Service of the stories is like. */
export interface ServiceOptions {
  readonly name: string;
  readonly namespace?: string;
  readonly ports?: readonly ServicePort[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Added to the spec. */
  readonly spec?: Document;
  /** Addresses of those who answer; an empty list makes no EndpointSlice. Default: both members. */
  readonly members?: readonly string[];
}

/** A port of a Service. */
export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort: number;
  /** Default: TCP. */
  readonly protocol?: "TCP" | "UDP";
}

/** The addresses of the two members of a stage. */
export const MEMBERS: readonly string[] = ["10.77.0.21", "10.77.0.22"];
/** Port 80, answered by the members' port 8080. */
export const HTTP: ServicePort = { name: "http", port: 80, targetPort: 8080 };

/** A Service of type LoadBalancer and the EndpointSlice of its members. */
export function service(options: ServiceOptions): readonly Document[] {
  const { name, namespace = "default", ports = [HTTP], members = MEMBERS } = options;
  const annotations = options.annotations === undefined ? {} : { annotations: options.annotations };
  const labels = options.labels === undefined ? {} : { labels: options.labels };
  const object = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, ...annotations, ...labels },
    spec: { type: "LoadBalancer", ports, ...options.spec },
  };
  const families = [
    { addressType: "IPv4", addresses: members.filter((member) => !member.includes(":")) },
    { addressType: "IPv6", addresses: members.filter((member) => member.includes(":")) },
  ].filter(({ addresses }) => addresses.length > 0);
  return [
    object,
    ...families.map(({ addressType, addresses }) => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: {
        name: `${name}-${addressType.toLowerCase()}`,
        namespace,
        labels: { "kubernetes.io/service-name": name },
      },
      addressType,
      ports: ports.map((port) => ({
        ...(port.name === undefined ? {} : { name: port.name }),
        protocol: port.protocol ?? "TCP",
        port: port.targetPort,
      })),
      endpoints: addresses.map((address) => ({ addresses: [address] })),
    })),
  ];
}

/** An AddressPool. */
export function pool(name: string, addresses: readonly string[]): Document {
  return {
    apiVersion: "fairlead.io/v1alpha1",
    kind: "AddressPool",
    metadata: { name },
    spec: { addresses },
  };
}

/** The text of a file with these documents. */
export function manifest(documents: readonly Document[]): string {
  return documents.map((document) => `---\n${JSON.stringify(document)}\n`).join("");
}
