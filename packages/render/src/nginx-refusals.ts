// What a listener wishes for and nginx does not do: said in reports, never silently left out.
// It must agree with what the view leaves out.

import type { ListenerResource, Remark } from "@fairlead/model";

/**
 * Wishes of a listener that `renderNginx` leaves out; the listener serves without them. Empty for
 * most. For nginx 1.22 that is PROXY protocol v2 towards members, and PROXY protocol over UDP.
 */
export function nginxRefusals(listener: ListenerResource): readonly Remark[] {
  const remarks: Remark[] = [];
  const say = (detail: string): void => {
    remarks.push({ reason: "PolicyNotServed", detail });
  };
  if (listener.protocol === "udp") {
    if (listener.proxyProtocol !== "none") say("nginx sends no PROXY protocol over UDP");
    if (listener.acceptProxyProtocol) say("nginx accepts no PROXY protocol over UDP");
  } else if (listener.proxyProtocol === "v2") {
    say("nginx sends PROXY protocol v1 only, so members get none");
  }
  return remarks;
}
