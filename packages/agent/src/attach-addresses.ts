// Puts addresses on their devices, each by itself: what the kernel refuses for one is that one's
// problem. Given attachments; tells the network of those that were not there, and takes away what
// strangers turned out to have.

import type { Address, Remark, ResourceName, Revision } from "@fairlead/model";
import { describeError } from "@fairlead/runtime";

import type { Problem } from "./applied.ts";
import type { Attachment } from "./attach.ts";
import type { Announcer, Kernel } from "./ports.ts";

/** What attaching needs. */
export interface AttachOptions {
  readonly kernel: Kernel;
  readonly announcer: Pick<Announcer, "announce">;
}

/** What is on the devices after the step. */
export interface AttachResult {
  readonly attached: ReadonlyMap<Address, Revision>;
  readonly problems: ReadonlyMap<ResourceName, Problem>;
}

/** What is known while they are put. */
export interface AttachContext {
  readonly revisions: ReadonlyMap<ResourceName, Revision>;
  /** Who else answers for addresses: these are left, also one that came unasked. */
  readonly strangers: ReadonlyMap<Address, string>;
}

/** Puts what has to be put. Rejects where the kernel keeps what is a stranger's. */
export async function attachAddresses(
  { kernel, announcer }: AttachOptions,
  attachments: readonly Attachment[],
  { revisions, strangers }: AttachContext,
): Promise<AttachResult> {
  const attached = new Map<Address, Revision>();
  const problems = new Map<ResourceName, Problem>();
  const told: Attachment[] = [];
  const put = async (attachment: Attachment): Promise<void> => {
    const { vip } = attachment;
    const revision = revisions.get(vip.name);
    if (revision === undefined || strangers.has(vip.address)) return;
    const trouble = await putOne(kernel, attachment);
    if (trouble !== undefined) {
      problems.set(vip.name, { ...trouble, revision });
      return;
    }
    attached.set(vip.address, revision);
    if (attachment.put !== undefined) told.push(attachment);
  };
  await Promise.all(attachments.map(put));
  for (const { vip, here } of attachments) {
    if (here !== undefined && strangers.has(vip.address)) await kernel.removeAddress(here);
  }
  if (told.length > 0) {
    announcer.announce(told.map(({ vip: { address }, link }) => ({ address, link })));
  }
  return { attached, problems };
}

async function putOne(kernel: Kernel, { put }: Attachment): Promise<Remark | undefined> {
  if (put === undefined) return undefined;
  try {
    const length = await kernel.routeLength(put);
    await kernel.putAddress({ ...put, prefixLength: length ?? put.prefixLength });
    return undefined;
  } catch (error) {
    return { reason: "DataPlaneDown", detail: describeError(error) };
  }
}
