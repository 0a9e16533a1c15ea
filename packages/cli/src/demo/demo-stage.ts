// The demo's stage: three load-balancer hosts, two members, a client and a control host on one
// network, with a real controller and real agents as processes of their own. Disposing it leaves
// nothing behind, and so does the death of this program.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { createLab, type Host, type Lab, type RunningProgram, startMember } from "@fairlead/lab";

/** Where the agents' daemons have their files. */
export const RUN_DIR = "/run/fairlead";
/** The top folder of the project: programs and examples are below it. */
const TOP = fileURLToPath(new URL("../../../../", import.meta.url));
/** Longest wait for a program to say that it serves, in ms. */
const START_MS_MAX = 15_000;
/** Where the manifests lie on the control host. */
const MANIFESTS = "/run/host/manifests";

/** A pool with room for every Service of a story. */
export const LAN_POOL = `apiVersion: fairlead.io/v1alpha1
kind: AddressPool
metadata:
  name: lan
spec:
  addresses: [10.77.0.200-10.77.0.219]
`;

/** Where a story is told. */
export type Tell = (text: string) => void;

/** Output of a program, as it stands below a heading. */
export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "   ");
}

/** The stage with everything running on it. */
export interface DemoStage extends AsyncDisposable {
  readonly lab: Lab;
  readonly control: Host;
  readonly balancers: readonly Host[];
  readonly client: Host;
  /** Runs `fairlead` on the control host; its standard output and exit code. */
  fairlead(args: readonly string[]): Promise<{ readonly stdout: string; readonly code: number }>;
  /** Puts a manifest into the controller's folder, in place of one of the same name. */
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Ends the agent of a load balancer by SIGKILL. */
  killAgent(balancer: Host): Promise<void>;
  /** Starts an agent where none runs, and waits until it serves. */
  startAgent(balancer: Host): Promise<void>;
}

/** The path of one of the project's programs. */
export function programPath(name: "fairlead" | "fairlead-agent" | "fairlead-controller"): string {
  return join(TOP, "bin", name);
}

/**
 * Makes the hosts and starts the programs. `tell` is given what happens, a line each.
 * @param manifests what is asked for, by file name.
 */
export async function createDemoStage(
  tell: (line: string) => void,
  manifests: ReadonlyMap<string, string>,
): Promise<DemoStage> {
  const lab = await createLab();
  try {
    const host = (name: string, last: number): Promise<Host> =>
      lab.addHost(name, { address: `10.77.0.${last}/24`, gateway: "10.77.0.1" });
    const control = await host("control", 5);
    const balancers = await Promise.all([11, 12, 13].map((last) => host(`lb${last - 10}`, last)));
    const members = await Promise.all([21, 22].map((last) => host(`member${last - 20}`, last)));
    const client = await host("client", 31);
    tell("6 hosts and a control host on 10.77.0.0/24");
    const write = (name: string, text: string): Promise<void> =>
      control.writeFile(`${MANIFESTS}/${name}`, text);
    for (const [name, text] of manifests) await write(name, text);
    const ports = { tcpPorts: [8080, 8081], udpPorts: [5353] };
    await Promise.all([
      startController(control),
      ...members.map((member) => startMember(member, ports)),
    ]);
    tell("a controller (sqlite store, folder of manifests) and two members");
    const agents = new Map<Host, RunningProgram>();
    const startAgent = async (balancer: Host): Promise<void> => {
      agents.set(balancer, await startAgentOn(balancer, control.address));
    };
    await Promise.all(balancers.map(startAgent));
    tell("three agents, each with its own keepalived and nginx");
    return {
      lab,
      control,
      balancers,
      client,
      async fairlead(args) {
        const result = await control.exec(programPath("fairlead"), args, { timeoutMs: 30_000 });
        return { stdout: result.stdout, code: result.code ?? 1 };
      },
      write,
      async remove(name) {
        await control.exec("rm", [`${MANIFESTS}/${name}`]);
      },
      async killAgent(balancer) {
        agents.get(balancer)?.kill("SIGKILL");
        await agents.get(balancer)?.exited;
      },
      startAgent,
      [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
    };
  } catch (error) {
    await lab[Symbol.asyncDispose]();
    throw error;
  }
}

/** The manifests of examples/. */
export async function readExamples(): Promise<ReadonlyMap<string, string>> {
  const folder = join(TOP, "examples");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
  const texts = names.map(async (name): Promise<[string, string]> => [
    name,
    await readFile(join(folder, name), "utf8"),
  ]);
  return new Map(await Promise.all(texts));
}

async function startController(control: Host): Promise<void> {
  const args = ["--insecure", "--source", MANIFESTS, "--state-dir", "/run/host/state"];
  const program = await control.start(programPath("fairlead-controller"), args);
  await program.waitForLine(/ serv(es|ing) /, START_MS_MAX);
}

async function startAgentOn(balancer: Host, controller: string): Promise<RunningProgram> {
  const args = [
    "--insecure",
    `--name=${balancer.name}`,
    `--controller=${controller}:7702`,
    "--state-dir=/run/host/state",
  ];
  const program = await balancer.start(programPath("fairlead-agent"), args);
  await program.waitForLine(/ serv(es|ing) /, START_MS_MAX);
  return program;
}
