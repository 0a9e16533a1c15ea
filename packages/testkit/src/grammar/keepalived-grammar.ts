// Everything that keepalived.conf of ours may say. Given a file's text; answers with the addresses
// that it would add and with what is none of our words. A new word of the template needs a row.

import { type BlockGrammar, readBlocks } from "./block-grammar.ts";
import { ADDRESS, DEVICE, NUMBER, PATH, PREFIX, words } from "./words.ts";

/** A file as it was read back. */
export interface ReadKeepalived {
  /** With their prefix lengths, in the order of the file; anchors are left out. */
  readonly vips: readonly string[];
  /** Empty for a good file. */
  readonly faults: readonly string[];
}

/** Names that we make: never any of a user's. */
const LANE = "lane-[0-9a-f.-]{2,60}-\\d{1,3}";
/** The file of a lane, and those of the whole data path and of its part for UDP. */
const TRACKED = `(?:${LANE}|data-path(?:-udp)?)`;
const PLACE = `${PREFIX} dev ${DEVICE}`;

const GRAMMAR: BlockGrammar = {
  end: "\n",
  blocks: {
    main: [
      { words: words("global_defs"), opens: "global_defs" },
      { words: words(`track_file ${TRACKED}`), opens: "track_file" },
      { words: words(`vrrp_instance ${LANE}`), opens: "vrrp_instance" },
    ],
    global_defs: [
      { words: words("router_id fairlead") },
      { words: words("enable_script_security|reload_check_config|dynamic_interfaces") },
      { words: words("vrrp_version 3|vrrp_check_unicast_src") },
      { words: words("vrrp_higher_prio_send_advert true") },
      { words: words(`vrrp_garp_master_(?:delay|repeat|refresh) ${NUMBER}`) },
    ],
    track_file: [
      { words: words(`file "${PATH}"`) },
      { words: words("weight 0") },
      { words: words("init_file 0") },
    ],
    vrrp_instance: [
      { words: words("state (?:MASTER|BACKUP)") },
      { words: words(`interface ${DEVICE}`) },
      { words: words("virtual_router_id \\d{1,3}") },
      { words: words("priority \\d{1,3}") },
      { words: words("nopreempt") },
      { words: words("advert_int \\d{1,2}\\.\\d{2}") },
      { words: words(`unicast_src_ip ${ADDRESS}`) },
      { words: words("unicast_ttl 255") },
      { words: words("unicast_peer"), opens: "unicast_peer" },
      { words: words("track_file"), opens: "tracked" },
      { words: words("virtual_ipaddress"), opens: "virtual_ipaddress" },
      { words: words("virtual_ipaddress_excluded"), opens: "virtual_ipaddress_excluded" },
    ],
    unicast_peer: [{ words: words(`${ADDRESS} min_ttl 255 max_ttl 255`) }],
    tracked: [{ words: words(`${TRACKED} weight 0`) }],
    virtual_ipaddress: [{ words: words(`${PLACE}(?: scope link)?`) }],
    virtual_ipaddress_excluded: [{ words: words(PLACE) }],
  },
};

/** Reads a file back. */
export function readKeepalived(text: string): ReadKeepalived {
  const { statements, faults } = readBlocks(text, GRAMMAR);
  const vips = statements
    .filter(({ block }) => block === "virtual_ipaddress_excluded")
    .map(({ text: said }) => said.split(" ")[0] ?? "");
  const double = vips.filter((vip, index) => vips.indexOf(vip) !== index);
  return { vips, faults: [...faults, ...double.map((vip) => `${vip} is listed twice`)] };
}
