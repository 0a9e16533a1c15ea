// Decides whether a Service is for us: by its type, its class, and what it says of being exposed.
// Pure. Whoever speaks to us and is not understood is answered by a refusal, not by silence.

import { FINALIZER } from "../kube/service-record.ts";
import { isHand } from "../kube/status-intruder.ts";
import { PREFIX } from "./aliases.ts";
import { quote } from "./quote.ts";
import type { RemarkList } from "./remarks.ts";
import type { ServiceObject } from "./service-object.ts";
import { hasWish, readSwitch } from "./service-wishes.ts";
import { foreignStatusManager } from "./status-owner.ts";
import type { TranslateSettings } from "./translate-service.ts";

/** The settings by which that is decided. */
type AskedSettings = Pick<
  TranslateSettings,
  "defaultClass" | "classes" | "isShared" | "ownFieldManager"
>;

/** Whether the Service is for us to answer; a foreign class is answered by a refusal. */
export function asksForUs(
  { metadata, spec }: ServiceObject,
  settings: AskedSettings,
  remarks: RemarkList,
): boolean {
  // What is being deleted asks for nothing any more.
  if (metadata.deletionTimestamp !== undefined) return false;
  if (spec.type !== "LoadBalancer") return isExposed(metadata, "refuse", remarks);
  const wanted = spec.loadBalancerClass ?? "";
  if (wanted !== "") {
    if (settings.classes.includes(wanted)) {
      isExposed(metadata, "remark", remarks);
      // The class says who shall serve it, so that another one's word refuses nothing.
      if (isOurs(metadata)) nameIntruder(metadata, settings, remarks);
      return true;
    }
    // It was ours and was given to another: what it has of us goes before anything is said.
    if (isOurs(metadata)) return false;
    if (settings.isShared && !wanted.startsWith(PREFIX)) return false;
    remarks.refuse("UnknownClass", `spec.loadBalancerClass is ${quote(wanted)}`);
    return true;
  }
  const onBad = settings.defaultClass ? "remark" : "refuse";
  if (!isExposed(metadata, onBad, remarks) && !settings.defaultClass) return false;
  nameIntruder(metadata, settings, remarks);
  return true;
}

/** The finalizer says that it was ours before. */
function isOurs({ finalizers }: ServiceObject["metadata"]): boolean {
  return finalizers?.includes(FINALIZER) === true;
}

/** Who else writes its status: he was first, or comes to what is ours. */
function nameIntruder(
  metadata: ServiceObject["metadata"],
  settings: AskedSettings,
  remarks: RemarkList,
): void {
  const manager = foreignStatusManager(metadata.managedFields ?? [], settings.ownFieldManager);
  if (manager === undefined) return;
  const detail = `${quote(manager)} writes status.loadBalancer`;
  // Who comes later must not end what is served.
  if (!isOurs(metadata)) {
    remarks.refuse("OtherControllerActive", detail);
  } else if (!isHand(manager)) {
    remarks.remark("OtherControllerActive", `${detail} too; it is put right again and again`);
  }
}

/**
 * Whether it asks to be exposed. A text that is neither true nor false asks for something as well:
 * the answer is a refusal where nothing else makes it ours, so that somebody reads of it.
 */
function isExposed(
  metadata: ServiceObject["metadata"],
  onBad: "refuse" | "remark",
  remarks: RemarkList,
): boolean {
  const said = readSwitch("expose", metadata, remarks);
  // Two that disagree are refused, which somebody has to see too.
  if (said === undefined) return hasWish("expose", metadata);
  if (said.isOn !== undefined) return said.isOn;
  if (onBad === "refuse") remarks.refuse("BadField", said.problem);
  else remarks.remark("BadField", `${said.problem}; it is left out`);
  return true;
}
