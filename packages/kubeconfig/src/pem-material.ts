// Keeps the certificates of one access as they are on disk. Given their sources. Looks at the files
// whenever it is asked to, and changes to what is new only when that is whole: while somebody is
// rotating, certificate and key do not fit for a moment, and the last good pair goes on.

import type { PemSource, PemSources } from "./access-config.ts";
import { accessError } from "./access-error.ts";
import { checkAuthority, checkClientPair, checkNotExpired, type Pem } from "./certificates.ts";
import { quotePath, readTextFile } from "./read-file.ts";

/** Checked PEM texts. */
export interface PemTexts {
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/** The certificates of one access. */
export interface PemMaterial {
  /**
   * What is good now. Looks at the files again. Throws EdgeError<KubeAccessErrorCode> when nothing
   * good was ever there, or when the last good certificate has expired.
   */
  look(): PemTexts;
}

interface Good {
  readonly texts: PemTexts;
  /** The words for the client certificate, and its end. Undefined when there is none. */
  readonly client: { readonly what: string; readonly endMs: number } | undefined;
}

/** Makes the material. `wallMs` is the time of day. */
export function createPemMaterial(sources: PemSources, wallMs: () => number): PemMaterial {
  let good: Good | undefined;

  function refresh(): Good {
    const ca = readPem(sources.ca);
    const certificate = readPem(sources.certificate);
    const key = readPem(sources.key);
    const texts = { ca: ca?.pem, certificate: certificate?.pem, key: key?.pem };
    if (good !== undefined && isSame(good.texts, texts)) return good;
    if (ca !== undefined) checkAuthority(ca);
    return { texts, client: checkClient(certificate, key) };
  }

  return {
    look: () => {
      try {
        const next = refresh();
        if (next.client !== undefined) {
          checkNotExpired(next.client.what, next.client.endMs, wallMs());
        }
        good = next;
      } catch (error) {
        const isUsable = good !== undefined && (good.client?.endMs ?? Infinity) > wallMs();
        if (good === undefined || !isUsable) throw error;
      }
      return good.texts;
    },
  };
}

function checkClient(certificate: Pem | undefined, key: Pem | undefined): Good["client"] {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    const there = certificate ?? key;
    const missing = certificate === undefined ? "certificate" : "key";
    throw accessError("MALFORMED", `${there?.what} is there and its ${missing} is not`);
  }
  return { what: certificate.what, endMs: checkClientPair({ certificate, key }) };
}

function readPem(source: PemSource | undefined): Pem | undefined {
  if (source === undefined) return undefined;
  if (source.kind === "inline") return source;
  const pem = readTextFile(source.what, source.path);
  return { what: `${source.what} ${quotePath(source.path)}`, pem };
}

function isSame(a: PemTexts, b: PemTexts): boolean {
  return a.ca === b.ca && a.certificate === b.certificate && a.key === b.key;
}
