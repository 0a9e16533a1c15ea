// Numbers of devices by their names, asked of the kernel. Those who ask while an answer is awaited
// share it, so that a thousand addresses of one device cost few questions. Nothing is remembered
// beyond that: a device that was made again has another number.

import type { RtNetlinkSocket } from "netlink";
import type { DeviceName } from "@fairlead/model";

import { REQUEST_TIMEOUT } from "./request-timeout.ts";

/** Of lo, in every network namespace. */
export const LOOPBACK_INDEX = 1;

/** Gives the number of a device. Rejects with the kernel's word where there is none. */
export type IndexOf = (name: DeviceName) => Promise<number>;

/** Makes it over a socket that carries no dumps. */
export function createIndexOf(requests: Pick<RtNetlinkSocket, "getLink">): IndexOf {
  const awaited = new Map<DeviceName, Promise<number>>();
  return (name) => {
    const asked = awaited.get(name);
    if (asked !== undefined) return asked;
    const answer = ask(requests, name).finally(() => void awaited.delete(name));
    awaited.set(name, answer);
    return answer;
  };
}

async function ask(requests: Pick<RtNetlinkSocket, "getLink">, name: DeviceName): Promise<number> {
  const [link] = await requests.getLink({}, { ifname: name }, REQUEST_TIMEOUT);
  if (link?.data.index === undefined) throw new Error(`ENODEV: there is no device ${name}`);
  return link.data.index;
}
