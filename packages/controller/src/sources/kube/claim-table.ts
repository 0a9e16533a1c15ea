// Claims of a cluster's Services, derived one by one: a changed object costs the Services that it
// concerns and no others. Given objects as they come and go; facts about what differs come out.

import {
  type Address,
  type Claim,
  type ClaimId,
  type Finding,
  claimId,
  parseAddress,
} from "@fairlead/model";

import type { Fact } from "../../facts.ts";
import { FINALIZER, type ServiceRecord } from "../../kube/service-record.ts";
import type { NodeObject } from "../node-object.ts";
import type { BadObject, SourceObject } from "../objects.ts";
import type { ServiceBackend } from "../service-backends.ts";
import { SERVICE_NAME_LABEL, type SliceObject } from "../slice-object.ts";
import {
  claimsEqual,
  type TranslateSettings,
  translateService,
  withStatus,
} from "../translate-service.ts";
import { isUsable, type ReadObject } from "./read-object.ts";
import type { ServiceReading } from "./read-service.ts";

/** The Service behind which API servers stand; whoever may expose it may do so. */
const API_SERVICE = "default/kubernetes";

/** What a cluster says, kept so that facts can be derived Service by Service. */
export class ClaimTable {
  readonly #source: string;
  readonly #settings: TranslateSettings;
  readonly #services = new Map<string, ServiceReading>();
  /** By the key of the Service that they name, then by their own. */
  readonly #slices = new Map<string, Map<string, SliceObject>>();
  readonly #sliceService = new Map<string, string>();
  #nodes: readonly NodeObject[] = [];
  #apiServers: ReadonlySet<string> = new Set();
  readonly #said = new Map<string, Claim>();
  readonly #findings = new Map<string, Finding>();
  readonly #dirty = new Set<string>();

  constructor(source: string, settings: TranslateSettings) {
    this.#source = source;
    this.#settings = settings;
  }

  /** Keys of Services whose facts may differ from what was said. */
  get dirty(): ReadonlySet<string> {
    return this.#dirty;
  }

  /** Sets or, with undefined, removes a Service. */
  setService(key: string, reading: ServiceReading | undefined): void {
    if (reading === undefined) this.#services.delete(key);
    else this.#services.set(key, reading);
    this.#dirty.add(key);
  }

  /** Sets or, with undefined, removes an EndpointSlice. */
  setSlice(key: string, object: SourceObject | undefined): void {
    const before = this.#sliceService.get(key);
    if (before !== undefined) {
      this.#slices.get(before)?.delete(key);
      if (this.#slices.get(before)?.size === 0) this.#slices.delete(before);
      this.#dirty.add(before);
    }
    const slice = object === undefined ? undefined : sliceOf(object);
    if (slice === undefined) this.#sliceService.delete(key);
    else {
      const slices = this.#slices.get(slice.service) ?? new Map<string, SliceObject>();
      this.#slices.set(slice.service, slices.set(key, slice.value));
      this.#sliceService.set(key, slice.service);
      this.#dirty.add(slice.service);
    }
  }

  /** Sets the nodes that may be members. */
  setNodes(nodes: readonly NodeObject[]): void {
    this.#nodes = nodes;
    for (const key of this.#services.keys()) this.#dirty.add(key);
  }

  /** Sets where API servers listen: no Service but their own has members there. */
  setApiServers(endpoints: ReadonlySet<string>): void {
    this.#apiServers = endpoints;
    for (const key of this.#services.keys()) this.#dirty.add(key);
  }

  /** Every `ADDRESS PORT` of the Service of the API servers, and of what stands behind it. */
  apiEndpoints(): ReadonlySet<string> {
    const found = new Set<string>();
    const add = (
      addresses: readonly string[],
      ports: readonly { readonly port?: number | undefined }[],
    ): void => {
      for (const text of addresses) {
        const address = parseAddress(text);
        if (address === undefined) continue;
        for (const { port } of ports) if (port !== undefined) found.add(`${address} ${port}`);
      }
    };
    const { clusterIPs = [], ports = [] } = this.backend(API_SERVICE)?.service.spec ?? {};
    add(clusterIPs, ports);
    for (const slice of this.#slices.get(API_SERVICE)?.values() ?? []) {
      add(
        slice.endpoints.flatMap((each) => each.addresses),
        slice.ports,
      );
    }
    return found;
  }

  /** What stands behind a Service, whether it asks for anything or not. */
  backend(key: string): ServiceBackend | undefined {
    const object = this.#services.get(key)?.object;
    if (object === undefined || !isUsable(object) || object.kind !== "Service") return undefined;
    return {
      service: object.value,
      slices: [...(this.#slices.get(key)?.values() ?? [])],
      nodes: this.#nodes,
      ...(key === API_SERVICE ? {} : { apiServers: this.#apiServers }),
    };
  }

  /** Whether the Service is new, and the slices that it is to have are not there yet. */
  lacksSlices(key: string): boolean {
    const reading = this.#services.get(key);
    if (reading === undefined || !reading.hasSelector || this.#said.has(key)) return false;
    return this.#settings.members === "endpoints" && !this.#slices.has(key);
  }

  /** The facts about one dirty Service; it is clean then. */
  facts(key: string): readonly Fact[] {
    this.#dirty.delete(key);
    const reading = this.#services.get(key);
    const found = this.#judge(reading?.object);
    const facts = this.#findingFacts(key, found);
    // An object that cannot be used ends nothing: what it said last stays in force.
    if (found !== undefined) return facts;
    return [...facts, ...this.#claimFacts(key, reading)];
  }

  /** Those of the claims of which our status says other addresses than when they were said. */
  statusFacts(claims: ReadonlySet<ClaimId>): readonly Fact[] {
    const facts: Fact[] = [];
    for (const [key, said] of this.#said) {
      const record = claims.has(said.id) ? this.#services.get(key)?.record : undefined;
      if (record === undefined || record.uid !== said.uid) continue;
      const claim = withStatus(said, ownAddresses(record, this.#settings.ownFieldManager));
      if (claim === said) continue;
      this.#said.set(key, claim);
      facts.push({ kind: "claim-seen", source: this.#source, claim });
    }
    return facts;
  }

  #judge(object: ReadObject | undefined): Finding | undefined {
    return object === undefined || isUsable(object) ? undefined : findingOf(object);
  }

  #claimFacts(key: string, reading: ServiceReading | undefined): readonly Fact[] {
    const source = this.#source;
    const claim = reading === undefined ? undefined : this.#translate(key, reading);
    const said = this.#said.get(key);
    const facts: Fact[] = [];
    if (said !== undefined && said.uid !== claim?.uid) {
      this.#said.delete(key);
      const { id, uid } = said;
      facts.push({ kind: "claim-gone", source, id, uid, how: "seen-deleted" });
    } else if (said === undefined && claim === undefined) {
      facts.push(...this.#endedBefore(reading));
    }
    if (claim !== undefined && (said === undefined || !claimsEqual(said, claim))) {
      this.#said.set(key, claim);
      facts.push({ kind: "claim-seen", source, claim });
    }
    return facts;
  }

  /** Our finalizer on what asks for nothing: it asked while nobody looked, and was ended since. */
  #endedBefore(reading: ServiceReading | undefined): readonly Fact[] {
    if (reading === undefined || !reading.record.finalizers.includes(FINALIZER)) return [];
    const { namespace, name, uid } = reading.record;
    const id = claimId("service", namespace, name);
    if (id === undefined) return [];
    return [{ kind: "claim-gone", source: this.#source, id, uid, how: "seen-deleted" }];
  }

  #translate(key: string, { object, record }: ServiceReading): Claim | undefined {
    const backend = this.backend(key);
    if (backend === undefined || !isUsable(object)) return undefined;
    const { identity, uid, createdAtMs, origin } = object;
    const statusAddresses = ownAddresses(record, this.#settings.ownFieldManager);
    const of = { identity, uid, createdAtMs, origin, statusAddresses };
    return translateService({ ...of, ...backend }, this.#settings);
  }

  #findingFacts(key: string, found: Finding | undefined): readonly Fact[] {
    const source = this.#source;
    const before = this.#findings.get(key);
    if (found === undefined) {
      if (before === undefined) return [];
      this.#findings.delete(key);
      return [{ kind: "finding-cleared", source, subject: before.subject, name: before.name }];
    }
    this.#findings.set(key, found);
    return [{ kind: "finding", source, finding: found }];
  }
}

/** The addresses of its status, when it was us who wrote them. */
function ownAddresses({ writers, ingress }: ServiceRecord, own: string): readonly Address[] {
  const isOwn = writers.some(
    ({ manager, parts }) => manager === own && parts.includes("status.loadBalancer"),
  );
  return isOwn ? ingress.flatMap(({ ip }) => parseAddress(ip ?? "") ?? []) : [];
}

function findingOf({ title: name, reason, detail }: BadObject): Finding {
  return { subject: "object", name, reason, detail };
}

function sliceOf(
  object: SourceObject,
): { readonly service: string; readonly value: SliceObject } | undefined {
  if (object.kind !== "EndpointSlice") return undefined;
  const name = object.value.metadata.labels?.[SERVICE_NAME_LABEL];
  if (name === undefined) return undefined;
  return { service: `${object.identity.namespace}/${name}`, value: object.value };
}

/** The claim that a Service of this key would have; undefined for a key that is none. */
export function claimIdOf(key: string): ClaimId | undefined {
  const [namespace = "", name = ""] = key.split("/");
  return claimId("service", namespace, name);
}
