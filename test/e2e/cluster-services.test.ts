// What people do with Services of a real cluster from day to day, and what they read there. Nothing
// fails in these stories; each status is looked at where people look for it, in the API server.

import assert from "node:assert/strict";

import { isWrite, startProbe } from "@fairlead/lab";
import type { KubeObject } from "@fairlead/testkit";

import { CONTROLLER_USER } from "./stage/api-host.ts";
import { addReadyNode, addReadyPod, KINDS, sayReady } from "./stage/cluster-objects.ts";
import { addService, changePorts, toldOf, untilTold } from "./stage/cluster-traces.ts";
import {
  eventsOf,
  FINALIZER,
  statusOf,
  untilAddresses,
  untilCounted,
  untilEvent,
  untilGone,
} from "./stage/cluster-views.ts";
import { lintedMetrics } from "./stage/linted-metrics.ts";
import { HTTP, manifest, MEMBERS, service, type ServiceOptions } from "./stage/manifests.ts";
import { claimOf, type Stage, type StageOptions } from "./stage/stage.ts";
import { story } from "./stage/story.ts";
import { answers, visit } from "./stage/visitor.ts";

const CLUSTER: StageOptions = {
  source: "kubernetes",
  controllerFlags: ["--members=endpoints"],
};
const WEB = { ...KINDS.service, name: "web" };

async function apply(stage: Stage, options: ServiceOptions): Promise<void> {
  await stage.api().kubectl(["apply", "--filename=-"], manifest(service(options)));
}

story("a Service of a cluster is served, and says so where people look", CLUSTER, async (stage) => {
  const { kube, kubectl, cluster } = stage.api();
  const madeMs = Date.now();
  await apply(stage, { name: "web" });
  const { address, holder } = await stage.served("default/web");
  const status = await untilAddresses(kube, "web", [address]);
  assert.deepEqual(status, {
    addresses: [address],
    conditions: [
      "AddressAllocated True Allocated",
      "MembersReady True Ready",
      "Serving True Proved",
    ],
    finalizers: [FINALIZER],
  });
  const object = await kube.get(WEB);
  assert.equal(
    object?.metadata["generation"],
    undefined,
    "where Services have one, conditions name it",
  );
  assert.deepEqual(wordsOf(object), {
    // Nodes leave the address to us: none takes it for its own.
    ingress: [{ ip: address, ipMode: "Proxy" }],
    messages: {
      "fairlead.io/AddressAllocated": `${address} is allocated.`,
      "fairlead.io/MembersReady": "Every port has a member.",
      "fairlead.io/Serving": `${address} serves 80/TCP.`,
    },
  });
  const byMember = await answers(stage.client, { address, port: 80 });
  assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);
  assert.match(await kubectl(["get", "service", "web"]), new RegExp(` ${address} `));
  await untilEvent(kube, "web", "AddressAllocated");
  assert.match(await kubectl(["describe", "service", "web"]), /AddressAllocated/);

  const chain = await stage.fairlead("explain", "default/web");
  assert.equal(chain.code, 0, chain.stdout);
  await isWrittenBy(stage, madeMs);
  assert.match(chain.stdout, new RegExp(`Held .*${holder} has ${address}`));

  const writes = (await cluster.auditLog()).filter(
    (entry) => isWrite(entry) && entry.user === CONTROLLER_USER,
  );
  // A busy machine may see the address move once more before its lane has settled.
  const moves = (await eventsOf(kube, "web")).filter((reason) => reason === "VipMoved").length;
  const told = writes.map(({ verb, resource }) => `${verb} ${resource}`).join(", ");
  assert.ok(writes.length - moves <= 4, told);

  await checkMetrics(stage);

  await kubectl(["delete", "service", "web"]);
  await untilGone(kube, "web");
  assert.deepEqual(await stage.recorder.heldNow(address), []);
  await untilEvent(kube, "web", "AddressReleased");
  const reasons = (await eventsOf(kube, "web")).filter((reason) => reason !== "VipMoved");
  assert.deepEqual(reasons, ["AddressAllocated", "AddressReleased"]);
});

/** What the Service says in its status, as the API server keeps it. */
function wordsOf(object: KubeObject | undefined): Readonly<Record<string, unknown>> {
  const { loadBalancer, conditions = [] } = (object?.["status"] ?? {}) as {
    readonly loadBalancer?: { readonly ingress?: unknown };
    readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  };
  const messages = Object.fromEntries(conditions.map(({ type, message }) => [type, message]));
  return { ingress: loadBalancer?.ingress, messages };
}

/** `explain` names who wrote each part of the object, and how long ago, the latest first. */
async function isWrittenBy(stage: Stage, madeMs: number): Promise<void> {
  const { steps } = await stage.asker.explain("default/web");
  const askedMs = Date.now();
  const detail = steps.find(({ title }) => title === "Written")?.detail ?? "";
  const [wrote = ""] = detail.split(`; ${FINALIZER} keeps it until release; uid `);
  const lines = wrote.split("; ").map((text) => /^(\S+) wrote (.+) (\d+)s ago$/.exec(text) ?? []);
  const parts = Object.fromEntries(lines.map(([, manager = detail, what]) => [manager, what]));
  assert.deepEqual(parts, {
    "fairlead-status": "status.loadBalancer, status.conditions",
    "fairlead-finalizer": "finalizers",
    "kubectl-client-side-apply": "spec",
  });
  // As the API server says of whole seconds.
  const atMs = await timesOf(stage);
  const ages = lines.map(([, , , seconds]) => Number(seconds));
  assert.deepEqual(
    ages,
    ages.toSorted((a, b) => a - b),
    detail,
  );
  for (const [, manager = "", , seconds] of lines) {
    const writtenMs = atMs.get(manager) ?? Number.NaN;
    assert.ok(writtenMs >= madeMs - 1000, `${manager} wrote at ${writtenMs}`);
    const differenceMs = Math.abs(askedMs - writtenMs - 1000 * Number(seconds));
    assert.ok(differenceMs <= 2000, `${detail}; ${manager} wrote at ${writtenMs}`);
  }
}

/** When each manager wrote to the Service last, epoch ms. */
async function timesOf(stage: Stage): Promise<ReadonlyMap<string, number>> {
  const { managedFields = [] } = ((await stage.api().kube.get(WEB))?.metadata ?? {}) as {
    readonly managedFields?: readonly { readonly manager: string; readonly time: string }[];
  };
  return new Map(managedFields.map(({ manager, time }) => [manager, Date.parse(time)]));
}

/** What only a controller that follows a cluster tells, on a page that Prometheus takes. */
async function checkMetrics({ control }: Stage): Promise<void> {
  const families = await lintedMetrics(control, 7704);
  const samples = (name: string): readonly string[] =>
    (families.get(`fairlead_${name}`)?.samples ?? []).map(({ labels, value }) =>
      [...Object.values(labels), value].join(" "),
    );
  const kinds = ["services", "endpointslices", "addresspools"];
  for (const kind of kinds) assert.ok(samples("source_synced").includes(`${kind} 1`), kind);
  assert.ok(samples("source_objects").includes("services 2"), "web, and the API server's own");
  for (const name of ["lists_total", "watches_total", "failures_total"]) {
    assert.equal(samples(`source_${name}`).length, kinds.length, name);
  }
  const noDifference = kinds.map((kind) => `${kind} 0`);
  assert.deepEqual(samples("source_audit_differences_total"), noDifference);
  const writes = samples("kubernetes_writes_total");
  assert.ok(writes.includes("finalizer written 1"), writes.join(", "));
  const told = writes.some((text) => /^event written [1-9]/.test(text));
  assert.ok(told, writes.join(", "));
  assert.deepEqual(samples("kubernetes_events_dropped_total"), ["0"]);
}

story("scaled to zero and back, and moved, a Service keeps its address", CLUSTER, async (stage) => {
  const { kube } = stage.api();
  await apply(stage, { name: "web" });
  const { address, holder } = await stage.served("default/web");
  const slice = { ...KINDS.endpointSlice, name: "web-ipv4" };
  await kube.patch(slice, { endpoints: [] });
  await stage.until("it has no member", (list) =>
    claimOf(list, "default/web")?.members === 0 ? true : undefined,
  );
  await stage.inSync();
  const refused = await visit(stage.client, [`${address}:80`]);
  assert.equal(refused[`${address}:80`], null);
  await kube.until("the status says so", WEB, (object) =>
    statusOf(object)?.conditions.includes("MembersReady False NoMembers") ? true : undefined,
  );
  assert.deepEqual(statusOf(await kube.get(WEB))?.addresses, [address], "the address stays");
  await kube.patch(slice, { endpoints: MEMBERS.map((one) => ({ addresses: [one] })) });
  const byMember = await answers(stage.client, { address, port: 80 });
  assert.deepEqual(Object.keys(byMember), ["member1", "member2"]);

  await stage.backed();
  const to = stage.balancers.find(({ name }) => name !== holder)?.name ?? "";
  await run(stage, "move", address, "--to", to);
  await isMoveTold(stage, { address, from: holder, to, why: "moved by an operator" });
  await run(stage, "drain", to);
  const next = await stage.recorder.waitForHolder(address, MOVE_MS_MAX, to);
  await isMoveTold(stage, { address, from: to, to: next, why: `${to} is drained` });
});

const MOVE_MS_MAX = 5_000;

async function run(stage: Stage, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await stage.fairlead(...args);
  assert.equal(code, 0, `${stdout}${stderr}`);
}

/** The Service's Event gives the same reason and gap for a planned move as `explain` does. */
async function isMoveTold(
  stage: Stage,
  move: Readonly<Record<"address" | "from" | "to" | "why", string>>,
): Promise<void> {
  const { address, from, to, why } = move;
  const { kube } = stage.api();
  const web = await kube.get(WEB);
  assert.ok(web !== undefined);
  const note = `${address} moved from ${from} to ${to}, gap `;
  await untilTold(kube, web, { reason: "VipMoved", note });
  const told = (await toldOf(kube, web)).map((event) => event.note);
  const rest = told.find((one) => one.startsWith(note))?.slice(note.length) ?? "";
  const [gap = "", words] = rest.split(": ", 2);
  const { steps } = await stage.asker.explain(address);
  const said = steps.find(({ title }) => title === "Moved")?.detail ?? "";
  assert.equal(said, `from ${from} to ${to}, planned, gap ${gap}: ${why}`, rest);
  assert.match(words ?? "", howMeasured(why, gap));
}

/** Why it moved, and then what the gap was counted from. */
function howMeasured(why: string, gap: string): RegExp {
  if (gap === "0 ms") return new RegExp(`^${why}; the other reported it first\\.$`, "u");
  if (gap.startsWith("at most ")) return new RegExp(`^${why}; counted from its last word`, "u");
  return new RegExp(`^${why}; the other reported it ${gap} later\\.$`, "u");
}

story("ports change under one address, and what hosts refuse is told", CLUSTER, async (stage) => {
  const { kube } = stage.api();
  await apply(stage, { name: "web" });
  const { address } = await stage.served("default/web");
  const admin = { name: "admin", port: 8443, targetPort: 8081 };
  await apply(stage, { name: "web", ports: [HTTP, admin] });
  await stage.until("both ports are served", (list) => {
    const claim = claimOf(list, "default/web");
    const isServed = claim?.state === "ready" && claim.remarks.length === 0;
    return isServed && claim.ports.length === 2 ? true : undefined;
  });
  await stage.inSync();
  const both = await visit(stage.client, [`${address}:80`, `${address}:8443`]);
  assert.match(both[`${address}:8443`] ?? "", /^member\d 8081 /);

  const dns = { name: "dns", port: 53, targetPort: 5353, protocol: "UDP" } as const;
  await changePorts(kube, "web", [dns]);
  await stage.until("the UDP port is served", (list) => {
    const claim = claimOf(list, "default/web");
    const isServed = claim?.state === "ready" && claim.remarks.length === 0;
    return isServed && claim.ports.join() === "53/UDP" ? true : undefined;
  });
  await stage.inSync();
  const udp = await answers(stage.client, { address, port: 53, protocol: "udp" });
  assert.equal(Object.keys(udp).length, 1, "one client port is answered by one member");
  assert.deepEqual(statusOf(await kube.get(WEB))?.addresses, [address]);

  // What another program of the hosts changed, so that nothing new can be listened to.
  await sayBindable(stage, false);
  const refused = await addService(kube, { name: "late" });
  await untilTold(kube, refused, { reason: "ConfigRejected" });
  const [event] = (await toldOf(kube, refused)).filter(({ reason }) => reason === "ConfigRejected");
  assert.match(event?.note ?? "", /ip_nonlocal_bind is not 1.*FL\d{4}/s);
  await sayBindable(stage, true);
  const late = await stage.served("default/late", 30_000);
  await untilAddresses(kube, "late", [late.address]);
});

/** Whether programs of load-balancer hosts may listen to addresses that their host lacks. */
async function sayBindable({ balancers }: Stage, may: boolean): Promise<void> {
  const text = `echo ${may ? 1 : 0} >/proc/sys/net/ipv4/ip_nonlocal_bind`;
  await Promise.all(balancers.map((host) => host.output("sh", ["-c", text])));
}

story(
  "a Service turns into a ClusterIP and back, and is released between",
  CLUSTER,
  async (stage) => {
    const { kube } = stage.api();
    await apply(stage, { name: "web" });
    const { address } = await stage.served("default/web");
    await untilAddresses(kube, "web", [address]);
    await untilCounted(kube, "web", { reason: "AddressAllocated", times: 1 });
    await kube.patch(WEB, { spec: { type: "ClusterIP" } });
    await kube.until("nothing of us is left on it", WEB, (object) => {
      const status = statusOf(object);
      const isLeft = [status?.addresses, status?.conditions, status?.finalizers].some(
        (list) => list?.length !== 0,
      );
      return isLeft ? undefined : true;
    });
    assert.deepEqual(await stage.recorder.heldNow(address), []);
    await kube.patch(WEB, { spec: { type: "LoadBalancer" } });
    assert.equal((await stage.served("default/web")).address, address, "its own address again");
    await untilAddresses(kube, "web", [address]);
    await untilCounted(kube, "web", { reason: "AddressAllocated", times: 2 });
    await untilCounted(kube, "web", { reason: "AddressReleased", times: 1 });
  },
);

story("deleted and made again, a Service gets its address back", CLUSTER, async (stage) => {
  const { kube, kubectl } = stage.api();
  await apply(stage, { name: "first" });
  await stage.served("default/first");
  await apply(stage, { name: "web" });
  const { address } = await stage.served("default/web");
  await kubectl(["delete", "service", "web"]);
  await untilGone(kube, "web");
  await apply(stage, { name: "other" });
  const other = await stage.served("default/other");
  assert.notEqual(other.address, address, "what was given up rests first");
  await apply(stage, { name: "web" });
  assert.equal((await stage.served("default/web")).address, address);
});

story(
  "a status that somebody edits is put right, and a foreign one respected",
  CLUSTER,
  async (stage) => {
    const { kube } = stage.api();
    await apply(stage, { name: "web" });
    const { address } = await stage.served("default/web");
    await untilAddresses(kube, "web", [address]);
    const wrong = { status: { loadBalancer: { ingress: [{ ip: "203.0.113.9" }] } } };
    await kube.patch({ ...WEB, subresource: "status" }, wrong, { fieldManager: "kubectl-edit" });
    await untilAddresses(kube, "web", [address]);
    assert.equal((await stage.served("default/web")).address, address);

    // Another controller was first: the Service is its own.
    const [taken] = service({ name: "taken", members: [] });
    const lost = {
      ...(taken as KubeObject),
      spec: { ...spec(taken), loadBalancerClass: "fairlead.io/typo" },
    };
    await kube.create(lost);
    await stage.until("a class of ours that there is not is refused in words", (list) =>
      claimOf(list, "default/taken")?.main?.reason === "UnknownClass" ? true : undefined,
    );
    await stage.controller.stop();
    for (const name of ["web2", "web3"]) {
      const [object] = service({ name, members: [] });
      await kube.create(object as KubeObject);
      await kube.patch({ ...WEB, name, subresource: "status" }, wrong, {
        fieldManager: "metallb-controller",
      });
    }
    await stage.controller.start();
    for (const name of ["default/web2", "default/web3"]) {
      await stage.until("who wrote the status first is named", (list) => {
        const main = claimOf(list, name)?.main;
        const isNamed = main?.detail.includes('"metallb-controller"') === true;
        return main?.reason === "OtherControllerActive" && isNamed ? true : undefined;
      });
    }
    const kept = statusOf(await kube.get({ ...WEB, name: "web2" }));
    assert.deepEqual(kept?.addresses, ["203.0.113.9"], "what others wrote stays theirs");

    // The other controller is gone: what it wrote is taken out by hand, as `reasons` says.
    const patch = '{"status":{"loadBalancer":{"ingress":null}}}';
    const patched = ["patch", "service", "web2", "--subresource=status", "--type=merge"];
    await stage.api().kubectl([...patched, `--patch=${patch}`]);
    const freed = await stage.served("default/web2");
    await untilAddresses(kube, "web2", [freed.address]);
    // What it wrote goes with the type as well, and the server names it on.
    const web3 = { ...WEB, name: "web3" };
    await kube.patch(web3, { spec: { type: "ClusterIP" } });
    await kube.patch(web3, { spec: { type: "LoadBalancer" } });
    const again = await stage.served("default/web3");
    await untilAddresses(kube, "web3", [again.address]);
  },
);

function spec(document: unknown): Readonly<Record<string, unknown>> {
  return (document as { readonly spec: Readonly<Record<string, unknown>> }).spec;
}

story("a pod that becomes unready gets no new connections", CLUSTER, async (stage) => {
  const { kube } = stage.api();
  const labels = { app: "web" };
  await addReadyNode(kube, "worker1", "10.77.0.21");
  await addReadyPod(kube, { name: "web-1", labels, node: "worker1" }, "10.77.0.21");
  await addReadyPod(kube, { name: "web-2", labels, node: "worker1" }, "10.77.0.22");
  await apply(stage, { name: "web", members: [], spec: { selector: labels } });
  const { address } = await stage.served("default/web");
  await stage.until("both pods are members", (list) =>
    claimOf(list, "default/web")?.members === 2 ? true : undefined,
  );
  await using probe = await startProbe(stage.client, { address, port: 80 });
  await probe.waitForAnswer(10_000, 0);
  await sayReady(kube, { ...KINDS.pod, name: "web-1" }, false);
  await stage.until("one member is left", (list) =>
    claimOf(list, "default/web")?.members === 1 ? true : undefined,
  );
  await stage.inSync();
  const { failed } = await probe.stop();
  assert.equal(failed, 0, "a member that goes drops nothing");
  const byMember = await answers(stage.client, { address, port: 80 });
  assert.deepEqual(Object.keys(byMember), ["member2"]);
});

const BOTH: StageOptions = {
  ...CLUSTER,
  hasIpv6: true,
  pools: ["lan=10.77.0.100-10.77.0.110,fd77::100-fd77::110"],
};

story(
  "a dual-stack Service has an address of each family, and members of both",
  BOTH,
  async (stage) => {
    const { kube } = stage.api();
    const both = { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4", "IPv6"] };
    const members = [...MEMBERS, "fd77::21", "fd77::22"];
    await apply(stage, { name: "web", members, spec: both });
    await stage.served("default/web");
    const { addresses } = await untilAddresses(kube, "web", ["10.77.0.100", "fd77::100"]);
    for (const address of addresses) {
      const byMember = await answers(stage.client, { address, port: 80 });
      assert.deepEqual(Object.keys(byMember), ["member1", "member2"], address);
    }
  },
);

const MANY = 200;

const WIDE: StageOptions = { ...CLUSTER, pools: ["lan=10.77.0.40-10.77.0.254"] };

story(`${MANY} Services at once all get addresses of their own`, WIDE, async (stage) => {
  const { kube } = stage.api();
  const made = Array.from({ length: MANY }, (_, index) =>
    service({
      name: `s${index}`,
      spec: { allocateLoadBalancerNodePorts: false },
    }),
  );
  const creator = async (): Promise<void> => {
    for (let one = made.pop(); one !== undefined; one = made.pop()) {
      for (const document of one) await kube.create(document as KubeObject);
    }
  };
  await Promise.all([creator(), creator(), creator(), creator()]);
  const list = await stage.until(
    "all are ready",
    (now) =>
      now.claims.filter(({ state }) => state === "ready").length === MANY ? now : undefined,
    60_000,
  );
  const addresses = new Set(list.claims.flatMap((claim) => claim.addresses.map((a) => a.address)));
  assert.equal(addresses.size, MANY);
  for (let index = 0; index < MANY; index += 1) {
    await untilAddresses(kube, `s${index}`, "some");
  }
  const visited = await visit(
    stage.client,
    Array.from(addresses, (one) => `${one}:80`),
  );
  assert.equal(Object.keys(visited).length, MANY);
  const silent = Object.entries(visited).filter(([, said]) => !/^member\d 8080 /.test(said ?? ""));
  assert.deepEqual(silent, [], "each is answered for by a member");
});
