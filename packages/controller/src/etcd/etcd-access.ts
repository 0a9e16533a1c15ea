// How an etcd is reached, as `--store etcd:URL[,URL]` and the settings beside it say. Pure. A user
// and a password stand in the first URL; they never show in a message.

import { quoteValue } from "@fairlead/runtime";

/** What such a store begins with. */
export const ETCD_SCHEME = "etcd:";

/** How an etcd is reached. */
export interface EtcdAccess {
  /** `http://HOST:PORT` or `https://HOST:PORT`, all of one kind; at least one. */
  readonly urls: readonly [string, ...string[]];
  /** Undefined: the etcd asks nobody's name, or takes it from the certificate. */
  readonly user?: { readonly name: string; readonly password: string };
  /** Texts in PEM; only with https. */
  readonly tls?: EtcdTls;
}

/** Whom to trust, and who we are; absent parts: the machine's authorities, nobody. */
export interface EtcdTls {
  readonly caPem?: string;
  readonly certificatePem?: string;
  readonly keyPem?: string;
}

/** What a text says, or why it says nothing; `expected` completes "expected". */
export type ReadEtcdUrls =
  | { readonly kind: "ok"; readonly access: EtcdAccess }
  | { readonly kind: "bad"; readonly expected: string };

const EXPECTED = "etcd:URL[,URL], such as etcd:http://10.0.0.1:2379,http://10.0.0.2:2379";
const URLS_MAX = 20;
const PORT_DEFAULT = "2379";

/** Reads `etcd:URL[,URL]`. */
export function readEtcdUrls(text: string): ReadEtcdUrls {
  const bad = (why: string): ReadEtcdUrls => ({ kind: "bad", expected: `${EXPECTED}; ${why}` });
  const parts = text.slice(ETCD_SCHEME.length).split(",", URLS_MAX + 1);
  if (parts.length > URLS_MAX) return bad(`at most ${URLS_MAX} URLs`);
  const urls: string[] = [];
  let user: EtcdAccess["user"];
  for (const part of parts) {
    const url = URL.parse(part);
    if (url === null) return bad(`${quoteValue(withoutUser(part))} is no URL`);
    const { protocol, hostname, pathname, search, hash } = url;
    const shown = quoteValue(`${protocol}//${url.host}`);
    const isHttp = protocol === "http:" || protocol === "https:";
    if (!isHttp || hostname === "") return bad(`${shown} is neither http nor https`);
    if (pathname !== "/" || search !== "" || hash !== "") return bad(`${shown} has a path`);
    if (url.username !== "") user ??= { name: plain(url.username), password: plain(url.password) };
    // From the text, as a URL drops a port that its scheme implies.
    const port = /:(\d+)\/?$/u.exec(part)?.[1] ?? PORT_DEFAULT;
    urls.push(`${protocol}//${hostname}:${port}`);
  }
  const [first, ...more] = urls;
  if (first === undefined) return bad("no URL is given");
  const isMixed = more.some((url) => url.startsWith("https:") !== first.startsWith("https:"));
  if (isMixed) return bad("all of them http, or all of them https");
  return {
    kind: "ok",
    access: { urls: [first, ...more], ...(user === undefined ? {} : { user }) },
  };
}

function plain(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/** What may be a password is not shown, also where the text is no URL. */
function withoutUser(text: string): string {
  return text.slice(text.lastIndexOf("@") + 1);
}

/** For people: where it is, and nothing of who asks. */
export function etcdName({ urls }: EtcdAccess): string {
  return `etcd at ${urls.join(", ")}`;
}
