// For tests: lives the life of an agent to its end. Given the run directory, the point where it
// dies, and the ports of the file that it hands over.

import { DEATH_POINTS, live } from "./dying-agent.ts";

const [runDir = "", point, ...ports] = process.argv.slice(2);
const diesAt = DEATH_POINTS.find((name) => name === point) ?? "done";
await live({ runDir, diesAt, ports: ports.map(Number) });
