// A program that makes a lab and waits, for tests that kill it or the lab. It takes the number of a
// user to run the lab as, or "-" for the caller, and says what it has made as one line of JSON.

import { createLab } from "../lab.ts";

const uid = process.argv[2] ?? "-";
const lab = await createLab(
  uid === "-" ? {} : { identity: { uid: Number(uid), gid: Number(uid) } },
);
const host = await lab.addHost("lb-1", { address: "192.0.2.11/24" });
// One program that a supervisor would have left behind: its parent is gone, it has its own session.
await host.output("setsid", ["--fork", "sleep", "600"]);
const program = await host.start("sleep", ["600"]);
const made = { id: lab.id, outerPid: lab.outerPid, programPid: program.outsidePid };
process.stdout.write(`${JSON.stringify(made)}\n`);
await lab.exited;
process.stdout.write("lab ended\n");
