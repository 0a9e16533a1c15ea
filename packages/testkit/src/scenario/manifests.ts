// Manifests as scenarios write them: each object in a file of its own, so that it can be applied
// and deleted as with kubectl. Given YAML text or the few words of a usual Service.

/** A file of the folder. */
export interface Manifest {
  readonly path: string;
  readonly text: string;
}

/** One file for every document; a document without kind and name gets none. */
export function splitManifests(lines: readonly string[]): readonly Manifest[] {
  const documents = lines.join("\n").split(/^---$/m);
  return documents.flatMap((text) => {
    const kind = /^kind: *(\S+)/m.exec(text)?.[1];
    const name = /\bname: *([^\s,}]+)/.exec(text)?.[1];
    const namespace = /\bnamespace: *([^\s,}]+)/.exec(text)?.[1] ?? "default";
    if (kind === undefined || name === undefined) return [];
    return [{ path: pathOf(kind, namespace, name), text: `${text.trim()}\n` }];
  });
}

/** Where `splitManifests` puts an object. */
export function pathOf(kind: string, namespace: string, name: string): string {
  return `${kind.toLowerCase()}.${namespace}.${name}.yaml`;
}

/** A Service of these ports, `tcp/80`, with two members behind each. */
export function usualService(title: string, ports: readonly string[]): readonly Manifest[] {
  const [namespace, name] = splitTitle(title);
  const listed = ports.map((port) => portOf(port));
  const text = [
    "apiVersion: v1",
    "kind: Service",
    `metadata: { name: ${name}, namespace: ${namespace} }`,
    "spec:",
    "  type: LoadBalancer",
    "  ports:",
    ...listed.map(
      ({ protocol, port }) =>
        `    - { name: p${port}, protocol: ${protocol}, port: ${port}, targetPort: 8080 }`,
    ),
  ];
  return [
    { path: pathOf("Service", namespace, name), text: `${text.join("\n")}\n` },
    usualMembers(title, ports, ["10.0.0.1", "10.0.0.2"]),
  ];
}

/** The slice of a Service with these members, on port 8080. */
export function usualMembers(
  title: string,
  ports: readonly string[],
  members: readonly string[],
): Manifest {
  const [namespace, name] = splitTitle(title);
  const listed = ports.map((port) => portOf(port));
  const text = [
    "apiVersion: discovery.k8s.io/v1",
    "kind: EndpointSlice",
    "metadata:",
    `  name: ${name}-1`,
    `  namespace: ${namespace}`,
    `  labels: { kubernetes.io/service-name: ${name} }`,
    "addressType: IPv4",
    "ports:",
    ...listed.map(
      ({ protocol, port }) => `  - { name: p${port}, protocol: ${protocol}, port: 8080 }`,
    ),
    `endpoints: [${members.map((address) => `{ addresses: [${address}] }`).join(", ")}]`,
  ];
  return { path: pathOf("EndpointSlice", namespace, `${name}-1`), text: `${text.join("\n")}\n` };
}

/** `web` and `default/web` as namespace and name. */
export function splitTitle(title: string): readonly [string, string] {
  const [first = "", second] = title.split("/");
  return second === undefined ? ["default", first] : [first, second];
}

function portOf(text: string): { readonly protocol: string; readonly port: string } {
  const [protocol = "", port = ""] = text.split("/");
  return { protocol: protocol.toUpperCase(), port };
}
