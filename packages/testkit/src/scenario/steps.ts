// What a scenario can do to a ring, one step a row: its words, where capitals stand for arguments,
// and what it does. `wait` and everything that is expected stand with whoever runs the steps.

import { parseAddress, present } from "@fairlead/model";

import { copyMedium, createMemoryMedium, restoreMedium } from "../fakes/memory-store.ts";
import { IPAM_STEPS } from "./ipam-steps.ts";
import { agentOf, type Ring } from "./ring.ts";
import { pathOf, splitManifests, splitTitle, usualMembers, usualService } from "./manifests.ts";

/** What a step is given: the values of its capitals, in order, and its block. */
export interface StepInput {
  readonly ring: Ring;
  readonly args: readonly string[];
  readonly block: readonly string[];
}

/** One kind of step. */
export interface StepKind {
  /** `cut link HOST`; a last word in capitals and `...` takes one word or more. */
  readonly form: string;
  /** Whether a block stands below it. */
  readonly takesBlock?: boolean;
  /** Throws with a sentence when it cannot be done. */
  readonly run: (input: StepInput) => void;
}

/** All steps. */
export const STEPS: readonly StepKind[] = [
  {
    form: "service NAME PORTS...",
    run: ({ ring, args: [name = "", ...ports] }) => {
      for (const { path, text } of usualService(name, ports)) ring.folder.write(path, text);
    },
  },
  {
    form: "members NAME PORT ADDRESSES...",
    run: ({ ring, args: [name = "", port = "", ...addresses] }) => {
      const members = addresses[0] === "none" ? [] : addresses;
      const { path, text } = usualMembers(name, [port], members);
      ring.folder.write(path, text);
    },
  },
  {
    form: "apply",
    takesBlock: true,
    run: ({ ring, block }) => {
      const manifests = splitManifests(block);
      if (manifests.length === 0) throw new Error("there is no object in the block");
      for (const { path, text } of manifests) ring.folder.write(path, text);
    },
  },
  {
    form: "write FILE",
    takesBlock: true,
    run: ({ ring, args: [file = ""], block }) => ring.folder.write(file, `${block.join("\n")}\n`),
  },
  {
    form: "write FILE of MB megabytes",
    run: ({ ring, args: [file = "", size = ""] }) =>
      ring.folder.write(file, "#".repeat(Number(size) * 1024 * 1024)),
  },
  {
    form: "delete NAME",
    run: ({ ring, args: [name = ""] }) => {
      const path = name.endsWith(".yaml") ? name : pathOf("Service", ...splitTitle(name));
      if (!ring.folder.remove(path)) throw new Error(`there is no ${name}`);
    },
  },
  {
    form: "delete pool NAME",
    run: ({ ring, args: [name = ""] }) => {
      if (!ring.folder.remove(pathOf("AddressPool", "default", name))) {
        throw new Error(`there is no pool ${name} in the folder`);
      }
    },
  },
  { form: "unmount folder", run: ({ ring }) => ring.folder.unmount() },
  { form: "mount folder", run: ({ ring }) => ring.folder.mount() },
  { form: "deny folder", run: ({ ring }) => ring.folder.deny() },
  { form: "allow folder", run: ({ ring }) => ring.folder.allow() },
  { form: "kill controller", run: ({ ring }) => ring.controller.kill() },
  { form: "start controller", run: ({ ring }) => ring.controller.start() },
  {
    form: "restart controller",
    run: ({ ring }) => {
      ring.controller.kill();
      ring.controller.start();
    },
  },
  { form: "hang controller", run: ({ ring }) => ring.controller.hang() },
  { form: "controller goes on", run: ({ ring }) => ring.controller.goOn() },
  { form: "another controller takes over", run: ({ ring }) => ring.controller.takeOver() },
  { form: "break store", run: ({ ring }) => void (ring.controller.isStoreLost = true) },
  { form: "mend store", run: ({ ring }) => void (ring.controller.isStoreLost = false) },
  { form: "lose store", run: ({ ring }) => restoreMedium(ring.medium, createMemoryMedium()) },
  { form: "save store", run: ({ ring }) => void (ring.savedStore = copyMedium(ring.medium)) },
  {
    form: "restore store",
    run: ({ ring }) => {
      if (ring.savedStore === undefined) throw new Error("no store was saved");
      restoreMedium(ring.medium, ring.savedStore);
    },
  },
  onHost("unplug HOST", (ring, host) => agentOf(ring, host).setPlug(false)),
  onHost("plug HOST", (ring, host) => agentOf(ring, host).setPlug(true)),
  onHost("cut link HOST", (ring, host) => agentOf(ring, host).setLink(false)),
  onHost("heal link HOST", (ring, host) => agentOf(ring, host).setLink(true)),
  onHost("cut stream HOST", (ring, host) => ring.network.cut(host)),
  onHost("heal stream HOST", (ring, host) => ring.network.heal(host)),
  onHost("split HOST", (ring, host) => agentOf(ring, host).split()),
  onHost("mute HOST", (ring, host) => agentOf(ring, host).split("vrrp")),
  onHost("hide HOST", (ring, host) => agentOf(ring, host).split("answers")),
  onHost("rejoin HOST", (ring, host) => agentOf(ring, host).rejoin()),
  onHost("kill agent HOST", (ring, host) => agentOf(ring, host).kill()),
  onHost("withdraw agent HOST", (ring, host) => agentOf(ring, host).withdraw()),
  onHost("start agent HOST", (ring, host) => agentOf(ring, host).start()),
  onHost("restart agent HOST", (ring, host) => {
    agentOf(ring, host).kill();
    agentOf(ring, host).start();
  }),
  onHost("kill keepalived HOST", (ring, host) => agentOf(ring, host).killKeepalived()),
  onHost("kill nginx HOST", (ring, host) => agentOf(ring, host).killNginx()),
  onHost("start nginx HOST", (ring, host) => agentOf(ring, host).host.reviveNginx()),
  onHost("power off HOST", (ring, host) => agentOf(ring, host).powerOff()),
  onHost("power on HOST", (ring, host) => agentOf(ring, host).powerOn()),
  onHost("fill disk HOST", (ring, host) => void (agentOf(ring, host).isDiskFull = true)),
  onHost("clear disk HOST", (ring, host) => void (agentOf(ring, host).isDiskFull = false)),
  onHost("break keepalived HOST", (ring, host) => agentOf(ring, host).broken.add("keepalived")),
  onHost("mend keepalived HOST", (ring, host) => agentOf(ring, host).broken.delete("keepalived")),
  onHost("break nginx HOST", (ring, host) => agentOf(ring, host).broken.add("nginx")),
  onHost("mend nginx HOST", (ring, host) => agentOf(ring, host).broken.delete("nginx")),
  onHost("break segment HOST", (ring, host) => agentOf(ring, host).broken.add("segment")),
  onHost("mend segment HOST", (ring, host) => agentOf(ring, host).broken.delete("segment")),
  onHost("break guard HOST", (ring, host) => agentOf(ring, host).broken.add("guard")),
  onHost("mend guard HOST", (ring, host) => agentOf(ring, host).broken.delete("guard")),
  onHost("take port HOST PORT PROGRAM", (ring, host, [port = "", program = ""]) =>
    agentOf(ring, host).takenPorts.set(port, program),
  ),
  onHost("free port HOST PORT", (ring, host, [port = ""]) =>
    agentOf(ring, host).takenPorts.delete(port),
  ),
  onHost("refuse text HOST WORD", (ring, host, [word = ""]) =>
    agentOf(ring, host).refusedWords.set(word, `nginx does not bear ${word}`),
  ),
  onHost("accept text HOST WORD", (ring, host, [word = ""]) =>
    agentOf(ring, host).refusedWords.delete(word),
  ),
  onHost("add address HOST ADDRESS", (ring, host, [address = ""]) =>
    agentOf(ring, host).addForeign(address),
  ),
  onHost("take address HOST ADDRESS", (ring, host, [address = ""]) =>
    agentOf(ring, host).host.takeAway(address),
  ),
  {
    form: "operator releases ADDRESS",
    run: ({ ring, args: [text = ""] }) => {
      const address = present(parseAddress(text), `${text} is an address`);
      ring.controller.act({ kind: "release", address });
    },
  },
  onHost("operator drains HOST", (ring, host) =>
    ring.controller.act({ kind: "drain", agent: agentOf(ring, host).name, isDryRun: false }),
  ),
  onHost("operator uncordons HOST", (ring, host) =>
    ring.controller.act({ kind: "uncordon", agent: agentOf(ring, host).name }),
  ),
  onHost("operator moves to HOST ADDRESS", (ring, host, [text = ""]) => {
    const address = present(parseAddress(text), `${text} is an address`);
    const to = agentOf(ring, host).name;
    ring.controller.act({ kind: "move", address, to, isDryRun: false });
  }),
  {
    form: "operator rebalances",
    run: ({ ring }) => ring.controller.act({ kind: "rebalance", isDryRun: false }),
  },
  { form: "operator freezes", run: ({ ring }) => ring.controller.act({ kind: "freeze" }) },
  { form: "operator thaws", run: ({ ring }) => ring.controller.act({ kind: "thaw" }) },
  onHost("operator forgets HOST", (ring, host) =>
    ring.controller.act({ kind: "forget", agent: agentOf(ring, host).name }),
  ),
  {
    form: "stranger at ADDRESS",
    run: ({ ring, args: [address = ""] }) => ring.setStranger(address, STRANGER_MAC),
  },
  {
    form: "no stranger at ADDRESS",
    run: ({ ring, args: [address = ""] }) => ring.setStranger(address, undefined),
  },
  {
    form: "router ID speaks from ADDRESS",
    run: ({ ring, args: [id = "", address = ""] }) => ring.setStrangeRouter(Number(id), address),
  },
  {
    form: "router ID is silent",
    run: ({ ring, args: [id = ""] }) => ring.setStrangeRouter(Number(id), undefined),
  },
  ...IPAM_STEPS,
  {
    form: "faults PERCENT",
    run: ({ ring, args: [percent = ""] }) => {
      ring.faults.rate = Number.parseInt(percent, 10) / 100;
    },
  },
];

/** Of the one host that is none of ours. */
const STRANGER_MAC = "02:00:00:00:99:99";

/** The step that has this form, with its arguments; undefined when there is none. */
export function findStep(
  words: readonly string[],
): { readonly kind: StepKind; readonly args: readonly string[] } | undefined {
  for (const kind of STEPS) {
    const args = readForm(kind.form.split(" "), words);
    if (args !== undefined) return { kind, args };
  }
  return undefined;
}

/** The words that stand where a form has capitals; undefined when it is another form. */
export function readForm(
  form: readonly string[],
  words: readonly string[],
): readonly string[] | undefined {
  const isOpen = form.at(-1)?.endsWith("...") === true;
  if (isOpen ? words.length < form.length : words.length !== form.length) return undefined;
  const args: string[] = [];
  for (const [index, word] of words.entries()) {
    const wanted = form[Math.min(index, form.length - 1)] ?? "";
    if (/^[A-Z]/.test(wanted)) args.push(word);
    else if (wanted !== word) return undefined;
  }
  return args;
}

function onHost(
  form: string,
  act: (ring: Ring, host: string, more: readonly string[]) => unknown,
): StepKind {
  return {
    form,
    run: ({ ring, args: [host = "", ...more] }) => {
      if (!ring.agents.has(host)) throw new Error(`there is no host ${host}`);
      act(ring, host, more);
    },
  };
}
