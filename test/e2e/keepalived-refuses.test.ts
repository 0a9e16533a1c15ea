// Two hosts whose keepalived refuses what a new Service brings, both at once: what is served goes
// on, the daemon's words are told of each host, and the Service is served as soon as it is taken.

import assert from "node:assert/strict";

import { startProbe } from "@fairlead/lab";

import { service } from "./stage/manifests.ts";
import { noneFailed } from "./stage/none-failed.ts";
import { claimOf } from "./stage/stage.ts";
import { story } from "./stage/story.ts";

/** Each host holds one, and the new one comes into a lane that both have already. */
const SERVED = ["web", "shop"];
const WORDS = /keepalived: keepalived\.conf:\d+ in lane-\S+, 10\.77\.0\.102: number '99' outside/;
/** Each agent looks for the lane that is to blame, and tells. */
const TOLD_MS_MAX = 30_000;

/** keepalived's checker reads each VIP but the given two wrong; whoever runs already is left. */
const PICKY = `
keepalived=$(command -v keepalived)
cp "$keepalived" /run/keepalived
cat >/run/picky-keepalived <<END
#!/bin/sh
case " \\$* " in *' -t '*) ;; *) exec /run/keepalived "\\$@" ;; esac
for file; do :; done
sed '/ 10\\.77\\./{ / $1\\/\\| $2\\//!s|/32 dev|/99 dev|; }' "\\$file" >"\\$file.picky"
/run/keepalived -t -f "\\$file.picky"
END
chmod 755 /run/picky-keepalived
mount --bind /run/picky-keepalived "$keepalived"
`;
const USUAL = 'umount "$(command -v keepalived)"';

// How long both hosts had an address is judged where every story ends.
story(
  "keepalived refuses a new Service on both hosts at once: what was served goes on, and it comes",
  { balancers: 2 },
  async (stage) => {
    for (const name of SERVED) await stage.write(`${name}.yaml`, service({ name }));
    const served = () => Promise.all(SERVED.map((name) => stage.served(`default/${name}`)));
    const before = await served();
    await stage.backed();
    const addresses = before.map(({ address }) => address);
    const onBoth = async (script: string): Promise<void> => {
      const words = ["-euc", script, "sh", ...addresses];
      await Promise.all(stage.balancers.map((host) => host.output("sh", words)));
    };
    await onBoth(PICKY);
    await using probes = new AsyncDisposableStack();
    const begun = addresses.map((address) => startProbe(stage.client, { address, port: 80 }));
    const asking = (await Promise.all(begun)).map((probe) => probes.use(probe));
    for (const probe of asking) await probe.waitForAnswer(5_000);

    const moves = stage.recorder.history().length;
    await stage.write("new.yaml", service({ name: "new" }));
    await stage.until(
      "the Service has keepalived's words, and so has each host",
      (list) => {
        const main = claimOf(list, "default/new")?.main;
        const said = [[main], ...list.agents.map(({ remarks }) => remarks)];
        const isSaid = said.every((some) =>
          some.some((one) => one?.code === "FL0406" && WORDS.test(one.detail)),
        );
        return isSaid || undefined;
      },
      TOLD_MS_MAX,
    );
    assert.deepEqual(await served(), before);
    assert.equal(stage.recorder.history().length, moves, "no address came or went");

    await onBoth(USUAL);
    await stage.served("default/new");
    await stage.backed();
    assert.deepEqual(await served(), before);
    for (const probe of asking) noneFailed(await probe.stop());
  },
);
