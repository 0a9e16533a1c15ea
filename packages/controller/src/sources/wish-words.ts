// What each wish of a Service means, for people: the page of annotations is made of this. Given
// nothing; what is read and what is refused is decided where wishes are read.

import type { Wish } from "./aliases.ts";

/** One wish in words. */
export interface WishWords {
  /** What may stand there, as it is written. */
  readonly values: string;
  /** What it does, sentences, with the value that counts where it is not there. */
  readonly says: string;
}

const NOT_SERVED = "Not served yet: it is said (`PolicyNotServed`), and traffic flows without it.";

/** Every wish, in the order of the page. */
export const WISH_WORDS: Readonly<Record<Wish, WishWords>> = {
  expose: {
    values: "`true`, `false`",
    says:
      "A Service of another type than LoadBalancer is served too. Default: it is not. Of " +
      "such a Service any other word is refused (`BadField`).",
  },
  addresses: {
    values: "addresses with commas between them",
    says:
      "Asks for these, at most one of each family, in mode host one for each host. " +
      "`spec.loadBalancerIP` says the same.",
  },
  "address-pool": { values: "name of a pool", says: "Asks for any address of this pool." },
  "sharing-key": {
    values: "letters, digits, spaces and `._:/@-`",
    says: "Services of one key may share an address where their ports differ.",
  },
  "source-ranges": {
    values: "networks with commas between them",
    says:
      "Only these clients may connect, as with `spec.loadBalancerSourceRanges`. Not enforced " +
      "yet: such a Service is refused (`SourceRangesNotEnforced`), unless they let in everybody.",
  },
  datapath: {
    values: "`nginx`, `kernel`, `haproxy`",
    says: "Which program moves the packets. Default: `nginx`; the others are refused as yet.",
  },
  balance: {
    values: "`round-robin`, `least-conn`, `hash`, `random`",
    says: "How members are chosen; `hash` by the client's address. Default: `round-robin`.",
  },
  "proxy-protocol": {
    values: "`v1`, `v2`",
    says:
      "Members are told the client's address by a PROXY header. nginx sends v1 over TCP; what " +
      "it does not send is said (`PolicyNotServed`). Default: none.",
  },
  "accept-proxy-protocol": {
    values: "`true`, `false`",
    says: "Clients send a PROXY header, and it is believed; TCP alone. Default: `false`.",
  },
  "max-connections": {
    values: "1 to 1000000",
    says:
      "Connections of a listener on one host; more are closed at once. Default: no limit over " +
      "TCP; over UDP a quarter of the sessions that nginx has room for.",
  },
  "connect-timeout": {
    values: "`10ms` to `1h`",
    says: "How long a member may take to accept a connection. Default: `5s`.",
  },
  "idle-timeout": {
    values: "`1s` to `24h`",
    says:
      "How long a connection may be silent. Default: `10m` over TCP, `20s` over UDP, where it is " +
      "the longest too.",
  },
  "drain-timeout": {
    values: "`0s` to `24h`",
    says:
      "How long connections go on to a member that was removed, and to a listener that was " +
      "removed. Default: `30s`.",
  },
  "max-nodes": {
    values: "1 to 10000",
    says: "With `--members nodes`: so many nodes at most get traffic. Default: all.",
  },
  "external-ips": {
    values: "`true`, `false`",
    says:
      "Its addresses are written to `spec.externalIPs` too while they are served. Default: what " +
      "`--write-external-ips` says.",
  },
  "health-check": {
    values: "`tcp`, `http`, `none`",
    says: `${NOT_SERVED} \`none\` is what happens anyway.`,
  },
  "health-check-path": { values: "text", says: NOT_SERVED },
  "health-check-port": { values: "text", says: NOT_SERVED },
  "health-check-interval": { values: "text", says: NOT_SERVED },
  "health-check-timeout": { values: "text", says: NOT_SERVED },
  "health-check-rise": { values: "text", says: NOT_SERVED },
  "health-check-fall": { values: "text", says: NOT_SERVED },
  hostname: { values: "text", says: NOT_SERVED },
  ttl: { values: "text", says: NOT_SERVED },
  "tls-secret": { values: "text", says: NOT_SERVED },
  driver: { values: "text", says: NOT_SERVED },
};
