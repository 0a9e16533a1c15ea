// A program of a load-balancer host that has nothing to do with us and listens on every address of
// the host, as sshd does. Given the host and the port.

import type { Host, RunningProgram } from "@fairlead/lab";

/** A program of the host that listens on every address of it, and ends with its input. */
export async function squat(host: Host, port: number): Promise<RunningProgram> {
  const listen = `Listen => 9, LocalAddr => "0.0.0.0", LocalPort => ${port}, ReuseAddr => 1`;
  const text = `$| = 1; my $s = IO::Socket::INET->new(${listen}) or die; print "listens\\n"; <STDIN>`;
  const program = await host.start("perl", ["-MIO::Socket::INET", "-e", text]);
  await program.waitForLine(/^listens$/, 10_000);
  return program;
}
