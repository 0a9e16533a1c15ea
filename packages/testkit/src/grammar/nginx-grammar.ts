// Everything that nginx.conf of ours may say. Given a file's text; answers with what it listens on
// and with what is none of our words. A new directive of the template needs a row here.

import { type BlockGrammar, readBlocks } from "./block-grammar.ts";
import { ADDRESS, ENDPOINT, NUMBER, PATH, PREFIX, words } from "./words.ts";

/** A file as it was read back. */
export interface ReadNginx {
  /** `192.0.2.10:80`, `[2001:db8::1]:53 udp`, in the order of the file; the probe's is left out. */
  readonly listens: readonly string[];
  /** Empty for a good file. */
  readonly faults: readonly string[];
}

/** Names that we make: never any of a user's. */
const UPSTREAM =
  "(?:(?:tcp|udp)-[0-9a-f.-]{2,39}-\\d{1,5}(?:-\\d{1,5}-ipv[46])?|" +
  "by-(?:turn|random|remote_addr(?:-remote_port)?)-\\d{1,5}-ipv[46])";

/** Named after what it counts by: a master refuses one of the same name that counts otherwise. */
const LIMIT_ZONE = "protocol_server_addr_server_port";

const GRAMMAR: BlockGrammar = {
  end: ";",
  blocks: {
    main: [
      { words: words(`load_module ${PATH}`) },
      { words: words("daemon off") },
      { words: words(`pid ${PATH}`) },
      { words: words(`error_log (?:stderr|${PATH}) warn`) },
      { words: words("user [a-z][a-z0-9-]{0,31}") },
      { words: words(`worker_processes ${NUMBER}`) },
      { words: words(`worker_rlimit_nofile ${NUMBER}`) },
      { words: words(`worker_shutdown_timeout ${NUMBER}ms`) },
      { words: words("events"), opens: "events" },
      { words: words("stream"), opens: "stream" },
    ],
    events: [{ words: words(`worker_connections ${NUMBER}`) }],
    stream: [
      { words: words("access_log off") },
      { words: words(`proxy_buffer_size ${NUMBER}`) },
      { words: words(`proxy_next_upstream_tries ${NUMBER}`) },
      {
        words: words(
          `limit_conn_zone \\$protocol/\\$server_addr/\\$server_port zone=${LIMIT_ZONE}:1m`,
        ),
      },
      { words: words("limit_conn_log_level (?:info|notice|warn|error)") },
      { words: words(`map_hash_(?:max|bucket)_size ${NUMBER}`) },
      { words: /^map \$protocol\/\$server_addr\/\$server_port \$source$/, opens: "map" },
      { words: words(`upstream ${UPSTREAM}`), opens: "upstream" },
      { words: words("server"), opens: "server" },
    ],
    map: [{ words: words(`(?:TCP|UDP)/${ADDRESS}/\\d{1,5} ${ADDRESS}`) }],
    upstream: [
      { words: /^hash \$remote_addr(?:\$remote_port)? consistent$/ },
      { words: words("least_conn|random") },
      { words: words(`server ${ENDPOINT} max_fails=0(?: backup)?`) },
      {
        words: words(
          `server ${ENDPOINT} weight=${NUMBER} max_fails=${NUMBER} fail_timeout=\\d{1,3}s(?: down)?`,
        ),
      },
    ],
    server: [
      { words: words(`listen unix:${PATH}`) },
      { words: words(`listen ${ENDPOINT}(?: udp reuseport| proxy_protocol)?`) },
      { words: words('return (?:[0-9a-f]{16}|"")') },
      { words: words(`set_real_ip_from ${PREFIX}`) },
      { words: words(`limit_conn ${LIMIT_ZONE} ${NUMBER}`) },
      { words: words("proxy_protocol on") },
      { words: words(`proxy_connect_timeout ${NUMBER}ms`) },
      { words: words(`proxy_timeout ${NUMBER}ms`) },
      { words: /^proxy_bind \$source$/ },
      { words: words(`proxy_pass (?:${UPSTREAM}|unix:${PATH})`) },
    ],
  },
};

/** Reads a file back. */
export function readNginx(text: string): ReadNginx {
  const { statements, faults } = readBlocks(text, GRAMMAR);
  const all = (pattern: RegExp): readonly string[] =>
    statements.flatMap((statement) => pattern.exec(statement.text)?.[1] ?? []);
  const listens = all(/^listen (?!unix:)(\S+(?: udp)?)/);
  const upstreams = all(/^upstream (\S+)$/);
  // Those of the probe are sockets, and have to be listened on; all others have an upstream.
  const sockets = all(/^listen (unix:\S+)$/);
  const passes = all(/^proxy_pass (\S+)$/);
  return {
    listens,
    faults: [
      ...faults,
      ...twice(listens).map((listen) => `${listen} is listened on twice`),
      ...twice(upstreams).map((name) => `${name} is there twice`),
      ...passes
        .filter((name) => ![...upstreams, ...sockets].includes(name))
        .map((name) => `there is no ${name}`),
    ],
  };
}

function twice(names: readonly string[]): readonly string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}
