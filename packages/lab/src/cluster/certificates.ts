// Keys and certificates of a cluster: its own authority, the API server's certificate, and one for
// each user who is to be known by one. Given the place, where openssl signs; keys are made here.

import { generateKeyPairSync } from "node:crypto";
import type { Place } from "./place.ts";

/** A certificate with its key, both as PEM. */
export interface Certificate {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** The authority of one cluster. */
export interface Authority {
  readonly caPem: string;
  /** A certificate for servers with these names and addresses. */
  server(names: readonly string[], addresses: readonly string[]): Promise<Certificate>;
  /** A certificate for a client, by which the API server knows a user and its groups. */
  client(user: string, groups: readonly string[]): Promise<Certificate>;
}

const DAYS = 30;
/** What names are made of here; everything else would need escapes in openssl's words. */
const NAME = /^[\w.:@-]+$/;

/** Makes the authority. Its folder below that of the place is made by it. */
export async function createAuthority(place: Place): Promise<Authority> {
  const folder = `${place.dir}/authority`;
  const paths = { key: `${folder}/ca.key`, certificate: `${folder}/ca.crt` };
  await place.writeFile(paths.key, createKey());
  const ca = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
  await certify(place, { subject: "/CN=fairlead-lab", extensions: ca, paths });
  let serial = 0;
  const issue = async (subject: string, extensions: readonly string[]): Promise<Certificate> => {
    serial += 1;
    const own = { key: `${folder}/${serial}.key`, certificate: `${folder}/${serial}.crt` };
    const keyPem = createKey();
    await place.writeFile(own.key, keyPem);
    await certify(place, { subject, extensions, paths: own, authority: paths });
    return { keyPem, certificatePem: await place.readFile(own.certificate) };
  };
  return {
    caPem: await place.readFile(paths.certificate),
    server: (names, addresses) => {
      const alternatives = [
        ...names.map((name) => `DNS:${checkedName(name)}`),
        ...addresses.map((address) => `IP:${checkedName(address)}`),
      ];
      const extensions = [`subjectAltName=${alternatives.join(",")}`];
      return issue("/CN=kube-apiserver", [...extensions, "extendedKeyUsage=serverAuth"]);
    },
    client: (user, groups) => {
      const organisations = groups.map((group) => `/O=${checkedName(group)}`).join("");
      return issue(`${organisations}/CN=${checkedName(user)}`, ["extendedKeyUsage=clientAuth"]);
    },
  };
}

/** A private key on the curve P-256, which is made at once, as an RSA key is not. */
export function createKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "sec1", format: "pem" }).toString();
}

interface Paths {
  readonly key: string;
  readonly certificate: string;
}

interface Request {
  readonly subject: string;
  readonly extensions: readonly string[];
  readonly paths: Paths;
  /** Undefined: it signs itself. */
  readonly authority?: Paths;
}

async function certify(place: Place, request: Request): Promise<void> {
  const { authority, extensions, paths, subject } = request;
  // No configuration: what Debian's adds by itself would stand there twice.
  const words = ["req", "-x509", "-new", "-config", "/dev/null", "-days", String(DAYS)];
  if (authority !== undefined) words.push("-CA", authority.certificate, "-CAkey", authority.key);
  words.push("-key", paths.key, "-subj", subject, "-out", paths.certificate);
  await place.output("openssl", [...words, ...extensions.flatMap((one) => ["-addext", one])]);
}

function checkedName(name: string): string {
  if (!NAME.test(name)) throw new TypeError(`cannot certify the name ${name}`);
  return name;
}
