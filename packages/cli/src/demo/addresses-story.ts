// The demo's story about addresses, told step by step with what really happens: a pool that is
// full, an address that is shared, a clash that is refused, and an address that comes back.

import { type ClaimJson, heldOf, untilClaims, untilRests } from "./demo-status.ts";
import { type DemoStage, indent, type Tell } from "./demo-stage.ts";

/** Three addresses for more Services than that. */
const POOL = `apiVersion: fairlead.io/v1alpha1
kind: AddressPool
metadata:
  name: small
spec:
  addresses: [10.77.0.200-10.77.0.202]
`;

/** Annotations of Services that may share an address. */
const SHARED = { "fairlead.io/sharing-key": "shop" };

/** The folder at the beginning. */
export const ADDRESSES_MANIFESTS: ReadonlyMap<string, string> = new Map([
  ["pool.yaml", POOL],
  ["web.yaml", service("web", 80, SHARED)],
  ["api.yaml", service("api", 8081, SHARED)],
  ["mail.yaml", service("mail", 80)],
  ["chat.yaml", service("chat", 80)],
]);

/** Tells the story and answers with the address that two Services share. */
export async function tellAddressesStory(stage: DemoStage, tell: Tell): Promise<string> {
  const told = async (...args: readonly string[]): Promise<void> => {
    tell(indent((await stage.fairlead(args)).stdout));
  };
  tell("\n1. Four Services, three addresses: web and api have one sharing key and other ports\n\n");
  const first = await untilClaims(stage, "all four are served", areServed("web", "api", "mail"));
  const [shared = ""] = heldOf(first, "web");
  const [freed = ""] = heldOf(first, "mail");
  if (heldOf(first, "api")[0] !== shared) throw new Error("web and api do not share an address");
  await told("status");

  tell(`\n2. The pool is full: late waits. clash wants 80/TCP of ${shared} too: it is refused\n\n`);
  await stage.write("late.yaml", service("late", 80));
  const wish = { ...SHARED, "fairlead.io/addresses": shared };
  await stage.write("clash.yaml", service("clash", 80, wish));
  await untilClaims(stage, "late waits, and clash is refused", isShortOfAddresses);
  await told("status");
  tell("\n");
  await told("pool", "list");
  tell("\n");
  await told("explain", "default/clash");

  tell(`\n3. mail is deleted: late gets ${freed}, as nothing else is free\n\n`);
  await stage.remove("mail.yaml");
  await untilClaims(stage, "late is served", (claims) => heldOf(claims, "late")[0] === freed);
  await told("lease", "list");

  const [kept = ""] = heldOf(first, "chat");
  tell(`\n4. chat is deleted: ${kept} is quarantined: given to nobody for a while\n\n`);
  await stage.remove("chat.yaml");
  await untilClaims(stage, "chat is gone", (claims) => !has(claims, "chat"));
  await untilRests(stage, kept);
  await told("lease", "list");

  tell("\n5. chat is made again: it gets its address back\n\n");
  await stage.write("chat.yaml", service("chat", 80));
  await untilClaims(stage, "chat is back", (claims) => heldOf(claims, "chat")[0] === kept);
  await told("lease", "list");
  return shared;
}

/** Whether `late` has nothing yet and may get something, and `clash` never will. */
export function isShortOfAddresses(claims: readonly ClaimJson[]): boolean {
  const stateOf = (name: string): string | undefined =>
    claims.find((claim) => claim.name === name)?.state;
  const haveNone = ["late", "clash"].every((name) => heldOf(claims, name).length === 0);
  return stateOf("late") === "pending" && stateOf("clash") === "refused" && haveNone;
}

function has(claims: readonly ClaimJson[], ...names: readonly string[]): boolean {
  return names.every((name) => claims.some((claim) => claim.name === name));
}

function areServed(...names: readonly string[]): (claims: readonly ClaimJson[]) => boolean {
  return (claims) => names.every((name) => heldOf(claims, name).length > 0);
}

/** The manifest of a Service with both members behind one port. */
export function service(
  name: string,
  port: number,
  annotations: Readonly<Record<string, string>> = {},
): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  annotations: ${JSON.stringify(annotations)}
spec:
  type: LoadBalancer
  ports:
    - name: http
      port: ${port}
      targetPort: 8080
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: ${name}-members
  labels:
    kubernetes.io/service-name: ${name}
addressType: IPv4
ports:
  - name: http
    protocol: TCP
    port: 8080
endpoints:
  - addresses: [10.77.0.21]
  - addresses: [10.77.0.22]
`;
}
