// The door of render: a node plan in, the text of the daemons' files out. Pure but for reading
// its own templates once.

export { type RenderedKeepalived, countVips, renderKeepalived } from "./keepalived.ts";
export type { KeepalivedInput } from "./keepalived-view.ts";
export {
  type LaneAnchor,
  type LaneTrackFile,
  dataPathTrackFile,
  dataPathUdpTrackFile,
  laneAnchor,
  laneInstanceName,
  laneTrackFile,
} from "./lane-names.ts";
export {
  CHOOSING_CHAIN,
  MEMBER_TABLE,
  type ServiceRange,
  type ServiceRanges,
  type TableChange,
  type TableListener,
  memberChangeScript,
  memberTableScript,
} from "./member-rules.ts";
export { type RenderedNginx, renderNginx } from "./nginx.ts";
export type { NginxInput, NginxSettings, ServicePlace } from "./nginx-input.ts";
export { slotFilling } from "./nginx-policy.ts";
export { nginxRefusals } from "./nginx-refusals.ts";
export { SLOT_COUNTS, type SlotCount, type Slots, fillSlots, slotCountFor } from "./slots.ts";
export {
  REVISION_SET,
  type RevisionTurn,
  revisionChange,
  revisionSet,
  withoutTable,
} from "./table-signature.ts";
export { turnOf } from "./turns.ts";
export { type Templates, createTemplates } from "./templates.ts";
