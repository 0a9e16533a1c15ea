// Reports to messages and back. The first report of a stream travels whole; a later one carries the
// resources that changed and everything else, which is small. The receiver keeps the last report
// and folds the message into it.

import { create } from "@bufbuild/protobuf";
import {
  type AgentName,
  type AgentReport,
  type DataPlaneReport,
  type HeardRouter,
  type LaneHearing,
  type LaneReport,
  type Remark,
  type ResourceName,
  type ResourceReport,
  ROUTER_ID_MAX,
  changedKeys,
  parseAgentName,
  parseDeviceName,
  patchMap,
} from "@fairlead/model";
import * as pb from "@fairlead/proto";
import {
  addressFromBytes,
  addressToBytes,
  revisionFromBytes,
  revisionToBytes,
} from "./address-bytes.ts";
import {
  cleanDetail,
  complete,
  counter,
  type Decoded,
  ok,
  reasonNamed,
  refused,
  token,
} from "./decoded.ts";
import { decodeLinks, encodeLink } from "./hello-codec.ts";
import { decodeOrder, encodeOrder } from "./lane-order.ts";
import { parseResourceName } from "./resource-name.ts";
import {
  decodeResourceReport,
  encodeProblem,
  encodeResourceReport,
  isSameResourceReport,
} from "./resource-report-codec.ts";
import { HEARING_STATES, LANE_STATES } from "./words.ts";

/**
 * Makes the message of a report.
 * @param previous the report that the receiver has; absent: the message is whole.
 */
export function encodeReport(report: AgentReport, previous?: AgentReport): pb.Report {
  const earlier = previous?.resources ?? new Map<ResourceName, ResourceReport>();
  const resources: pb.ResourceReport[] = [];
  const gone: ResourceName[] = [];
  for (const name of changedKeys(earlier, report.resources)) {
    const [before, resource] = [earlier.get(name), report.resources.get(name)];
    if (resource === undefined) gone.push(name);
    else if (before === undefined || !isSameResourceReport(before, resource)) {
      resources.push(encodeResourceReport(resource));
    }
  }
  return create(pb.ReportSchema, {
    sequence: BigInt(report.sequence),
    whole: previous === undefined,
    epoch: BigInt(report.epoch),
    planRevision: revisionToBytes(report.planRevision),
    links: report.links.map(encodeLink),
    resources,
    gone,
    lanes: report.lanes.map(({ name, state, order, silenceMs }) => ({
      name,
      state: LANE_STATES.number(state),
      order: encodeOrder(order ?? []),
      ...(silenceMs === undefined ? {} : { silenceMs }),
    })),
    dataPlane: encodeDataPlane(report.dataPlane),
    remarks: report.remarks.map((remark) => encodeProblem(remark)),
    heardRouters: (report.heardRouters ?? []).map((heard) => ({
      ...heard,
      source: addressToBytes(heard.source),
    })),
    hearing: (report.hearing ?? []).map(({ lane, state, holder }) => ({
      lane,
      state: HEARING_STATES.number(state),
      holder: holder ?? "",
    })),
  });
}

/**
 * Whether a report says the same as another, whatever their sequence numbers: then nothing needs
 * to be sent.
 */
export function isSameReport(a: AgentReport, b: AgentReport): boolean {
  if (a === b) return true;
  if (!areSameResources(a.resources, b.resources)) return false;
  return JSON.stringify(withoutResources(a)) === JSON.stringify(withoutResources(b));
}

function areSameResources(a: AgentReport["resources"], b: AgentReport["resources"]): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [name, resource] of b) {
    const before = a.get(name);
    if (before === undefined || !isSameResourceReport(before, resource)) return false;
  }
  return true;
}

/** A report as it is after a message was folded in. */
export interface FoldedReport {
  readonly report: AgentReport;
  /** Parts that are not of the closed types and were left out: nothing is proved by them. */
  readonly leftOut: readonly string[];
}

/**
 * Folds a message into the last report of the same stream. One unreadable part does not take the
 * others with it: it is left out and named.
 * @param agent the one that the stream belongs to; a report does not name its sender.
 * @param previous absent at the start of a stream; a message that is not whole is refused then.
 */
export function decodeReport(
  agent: AgentName,
  message: pb.Report,
  previous: AgentReport | undefined,
): Decoded<FoldedReport> {
  if (!message.whole && previous === undefined) return refused("report: the first is not whole");
  const leftOut: string[] = [];
  const links = decodeLinks(message.links);
  if (links.kind === "refused") return links;
  const dataPlane = decodeDataPlane(message.dataPlane);
  if (dataPlane.kind === "refused") return dataPlane;
  const fields = complete("report", {
    sequence: counter(message.sequence),
    epoch: counter(message.epoch),
    planRevision:
      message.planRevision.length === 0 ? ("" as const) : revisionFromBytes(message.planRevision),
  });
  if (fields.kind === "refused") return fields;
  const { planRevision, ...rest } = fields.value;
  const heardRouters = decodeEach(message.heardRouters, decodeHeardRouter, leftOut);
  const hearing = decodeEach(message.hearing, decodeHearing, leftOut);
  const report: AgentReport = {
    agent,
    ...rest,
    ...(planRevision === "" ? {} : { planRevision }),
    links: links.value,
    resources: foldResources(message, message.whole ? undefined : previous, leftOut),
    lanes: decodeEach(message.lanes, decodeLane, leftOut),
    dataPlane: dataPlane.value,
    remarks: decodeEach(message.remarks, decodeRemark, leftOut),
    ...(heardRouters.length === 0 ? {} : { heardRouters }),
    ...(hearing.length === 0 ? {} : { hearing }),
  };
  return ok({ report, leftOut });
}

function foldResources(
  message: pb.Report,
  previous: AgentReport | undefined,
  leftOut: string[],
): ReadonlyMap<ResourceName, ResourceReport> {
  const changes = new Map<ResourceName, ResourceReport | undefined>();
  for (const name of message.gone) changes.set(name as ResourceName, undefined);
  // What was proved before of a resource whose news cannot be read is not proved any more.
  for (const { name } of message.resources) changes.set(name as ResourceName, undefined);
  for (const report of decodeEach(message.resources, decodeResourceReport, leftOut)) {
    changes.set(report.name, report);
  }
  return patchMap(previous?.resources ?? NO_RESOURCES, changes);
}

const NO_RESOURCES: AgentReport["resources"] = new Map();

function decodeEach<T, U>(
  items: readonly T[],
  decode: (item: T) => Decoded<U>,
  leftOut: string[],
): readonly U[] {
  return items.flatMap((item) => {
    const decoded = decode(item);
    if (decoded.kind === "ok") return [decoded.value];
    leftOut.push(decoded.detail);
    return [];
  });
}

function decodeLane(message: pb.LaneReport): Decoded<LaneReport> {
  const parts = parseResourceName(message.name);
  const fields = complete("lane report", {
    name: parts?.kind === "lane" ? parts.name : undefined,
    state: LANE_STATES.word(message.state),
  });
  if (fields.kind === "refused") return fields;
  const { silenceMs } = message;
  const lane = {
    ...fields.value,
    ...(silenceMs === undefined ? {} : { silenceMs }),
  };
  if (message.order.length === 0) return ok(lane);
  const order = decodeOrder(message.order);
  return order.kind === "refused" ? order : ok({ ...lane, order: order.value });
}

function decodeRemark(message: pb.Problem): Decoded<Remark> {
  return complete("remark", {
    reason: reasonNamed(message.reason),
    detail: cleanDetail(message.detail),
  });
}

function decodeHeardRouter({ routerId, ...message }: pb.HeardRouter): Decoded<HeardRouter> {
  return complete("heard router", {
    routerId: routerId >= 1 && routerId <= ROUTER_ID_MAX ? routerId : undefined,
    source: addressFromBytes(message.source),
    link: parseDeviceName(message.link),
  });
}

function decodeHearing(message: pb.LaneHearing): Decoded<LaneHearing> {
  const parts = parseResourceName(message.lane);
  const fields = complete("hearing", {
    lane: parts?.kind === "lane" ? parts.name : undefined,
    state: HEARING_STATES.word(message.state),
    holder: message.holder === "" ? ("" as const) : parseAgentName(message.holder),
  });
  if (fields.kind === "refused") return fields;
  const { holder, ...rest } = fields.value;
  return ok(holder === "" ? rest : { ...rest, holder });
}

function encodeDataPlane(report: DataPlaneReport): pb.DataPlane {
  return create(pb.DataPlaneSchema, {
    generation: report.generation ?? "",
    generationsAlive: report.generationsAlive,
    keepalivedAlive: report.keepalivedAlive,
    reloads: BigInt(report.reloads),
    udpGeneration: report.udpGeneration ?? "",
    generationsBytes: BigInt(report.generationsBytes ?? 0),
  });
}

function decodeDataPlane(message: pb.DataPlane | undefined): Decoded<DataPlaneReport> {
  if (message === undefined) return refused("report: no data plane");
  const fields = complete("data plane", {
    generation: message.generation === "" ? "" : token(message.generation),
    generationsAlive: message.generationsAlive,
    keepalivedAlive: message.keepalivedAlive,
    reloads: counter(message.reloads),
    udpGeneration: message.udpGeneration === "" ? "" : token(message.udpGeneration),
    generationsBytes: counter(message.generationsBytes),
  });
  if (fields.kind === "refused") return fields;
  const { generation, udpGeneration, generationsBytes, ...rest } = fields.value;
  return ok({
    ...(generation === "" ? {} : { generation }),
    ...(udpGeneration === "" ? {} : { udpGeneration }),
    ...(generationsBytes === 0 ? {} : { generationsBytes }),
    ...rest,
  });
}

/** Everything of a report that every message carries, in one fixed order. */
function withoutResources(report: AgentReport): readonly unknown[] {
  const { epoch, planRevision, links, lanes, dataPlane, remarks } = report;
  const { generation, udpGeneration, generationsAlive, generationsBytes } = dataPlane;
  const { keepalivedAlive, reloads } = dataPlane;
  return [
    epoch,
    planRevision,
    links.map((link) => [
      link.name,
      link.mac,
      link.up,
      link.primary,
      link.prefixes.map((prefix) => [prefix.address, prefix.length]),
    ]),
    lanes.map((lane) => [lane.name, lane.state, lane.order, lane.silenceMs]),
    [generation, generationsAlive, keepalivedAlive, reloads, udpGeneration, generationsBytes],
    remarks.map((remark) => [remark.reason, remark.detail]),
    (report.heardRouters ?? []).map((heard) => [heard.routerId, heard.source, heard.link]),
    (report.hearing ?? []).map(({ lane, state, holder }) => [lane, state, holder]),
  ];
}
