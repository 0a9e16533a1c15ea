// A declared VIP becomes a claim. Pure: it is read as the Service that would ask for the same, so
// that addresses, pools, annotations and members mean the same wherever they are written.

import { type Claim, claimId, present } from "@fairlead/model";

import { derivedUid } from "./derived-uid.ts";
import { quote } from "./quote.ts";
import type { ServiceBackend } from "./service-backends.ts";
import type { ServiceObject, ServicePort } from "./service-object.ts";
import type { SliceObject } from "./slice-object.ts";
import { translateService, type TranslateSettings } from "./translate-service.ts";
import { createRemarkList, type RemarkList } from "./remarks.ts";
import type { VirtualIp } from "./virtual-ip.ts";

/** A VIP with what its claim is made of. */
export interface TranslateVirtualIpInput {
  readonly vip: VirtualIp;
  /** Where it stands, for people; escaped. */
  readonly origin: string;
  /** What stands behind the Service that it names; undefined: nothing, or it names none. */
  readonly backend: ServiceBackend | undefined;
}

/** The claim of a VIP. */
export function translateVirtualIp(
  { vip, origin, backend }: TranslateVirtualIpInput,
  settings: TranslateSettings,
): Claim {
  const { namespace, name } = vip;
  const own = createRemarkList();
  const { port, nodes, slices, apiServers, behind } = findBackend(vip, backend, own);
  const named = vip.profiles.map(quote).join(", ");
  // One of them may be what encrypts: without it clients would speak in clear text.
  if (named !== "") own.refuse("PolicyNotServed", `profiles are not served yet: ${named}`);
  const claim = translateService(
    {
      identity: { kind: "Service", namespace, name },
      uid: derivedUid(`VirtualIP/${namespace}/${name}`),
      origin,
      service: serviceOf(vip, port),
      slices,
      nodes,
      ...(behind === undefined ? {} : { behind }),
      ...(apiServers === undefined ? {} : { apiServers }),
    },
    {
      ...settings,
      defaultClass: true,
      // Members that are written out are what they are.
      members: behind === undefined ? "endpoints" : settings.members,
    },
  );
  const { refusals, remarks } = own.result();
  const made = present(claim, "a Service of type LoadBalancer without a class asks for us");
  return {
    ...made,
    id: present(claimId("virtualip", namespace, name), "a VIP has checked names"),
    kind: "virtualip",
    refusals: [...refusals, ...made.refusals],
    remarks: [...remarks, ...made.remarks],
  };
}

interface Found extends Pick<ServiceBackend, "nodes" | "slices" | "apiServers"> {
  /** As a port of a Service whose members are to be found. */
  readonly port: ServicePort;
  /** The Service that has them; undefined where none has: they are written out, or lost. */
  readonly behind: ServiceObject | undefined;
}

function findBackend(
  { namespace, members, port, protocol }: VirtualIp,
  backend: ServiceBackend | undefined,
  own: RemarkList,
): Found {
  const lost: Found = {
    port: { name: "", port, protocol, nodePort: port },
    nodes: [],
    slices: [],
    behind: undefined,
  };
  if (members.kind === "listed") return { ...lost, slices: members.members.map(toSlice(protocol)) };
  const shown = `Service ${namespace}/${members.service}`;
  if (backend === undefined) {
    own.remark("UnknownTargetPort", `there is no ${shown}`);
    return lost;
  }
  const { ports } = backend.service.spec;
  const matches = ports.filter(
    (one) =>
      one.protocol === protocol &&
      (members.port === undefined || one.name === members.port || `${one.port}` === members.port),
  );
  const [match, other] = matches;
  if (match === undefined || other !== undefined) {
    const asked = members.port === undefined ? `${protocol} port` : `port ${quote(members.port)}`;
    const problem = match === undefined ? `has no ${asked}` : `has several; servicePort names one`;
    own.remark("UnknownTargetPort", `${shown} ${problem}`);
    return lost;
  }
  const { slices, nodes, apiServers } = backend;
  return {
    // Slices are matched by the Service's port; what clients connect to is the VIP's.
    port: { ...match, targetPort: match.targetPort ?? match.port, port },
    slices,
    nodes,
    behind: backend.service,
    ...(apiServers === undefined ? {} : { apiServers }),
  };
}

function toSlice(
  protocol: string,
): (member: { readonly address: string; readonly port: number }) => SliceObject {
  return ({ address, port }) => ({
    metadata: { name: "listed" },
    addressType: address.includes(":") ? "IPv6" : "IPv4",
    endpoints: [{ addresses: [address], ready: true, serving: true, terminating: false }],
    ports: [{ name: "", protocol, port }],
  });
}

function serviceOf(vip: VirtualIp, port: ServicePort): ServiceObject {
  const { name, namespace, addresses, pool, sharingKey, annotations } = vip;
  return {
    metadata: {
      name,
      namespace,
      annotations: {
        ...annotations,
        ...(addresses.length === 0 ? {} : { "fairlead.io/addresses": addresses.join(",") }),
        ...(pool === undefined ? {} : { "fairlead.io/address-pool": pool }),
        ...(sharingKey === undefined ? {} : { "fairlead.io/sharing-key": sharingKey }),
      },
    },
    spec: {
      type: "LoadBalancer",
      ports: [port],
      ipFamilies: vip.ipFamilies,
      ipFamilyPolicy: vip.ipFamilyPolicy,
    },
  };
}
