// What the API server wrote down of requests: who did what to what, and how it ended. Given the
// text of its log. Pure. A line that it does not understand is an error that shows the line.

/** One request that has ended. */
export interface AuditEntry {
  /** When it came, in ms since 1970. */
  readonly receivedMs: number;
  readonly user: string;
  /** The address that it came from; "" where that is not known. */
  readonly from: string;
  readonly verb: string;
  /** With its subresource behind a slash, as in "services/status"; "" for other paths. */
  readonly resource: string;
  /** "" for the core group. */
  readonly group: string;
  readonly namespace: string;
  readonly name: string;
  /** Path and query. */
  readonly uri: string;
  /** The HTTP status of the answer. */
  readonly status: number;
}

const WRITES: ReadonlySet<string> = new Set([
  "create",
  "update",
  "patch",
  "delete",
  "deletecollection",
]);

/** All requests of a log; a last line that is not whole yet is left out. */
export function parseAuditLog(text: string): readonly AuditEntry[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.map(parseLine);
}

/** Whether the request was to change something. */
export function isWrite(entry: AuditEntry): boolean {
  return WRITES.has(entry.verb);
}

interface AuditLine {
  readonly requestReceivedTimestamp: string;
  readonly requestURI: string;
  readonly verb: string;
  readonly user?: { readonly username?: string };
  readonly sourceIPs?: readonly string[];
  readonly objectRef?: {
    readonly resource?: string;
    readonly subresource?: string;
    readonly apiGroup?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code?: number };
}

function parseLine(text: string): AuditEntry {
  const line = JSON.parse(text) as AuditLine;
  const { resource = "", subresource, apiGroup = "", namespace, name } = line.objectRef ?? {};
  return {
    receivedMs: Date.parse(line.requestReceivedTimestamp),
    user: line.user?.username ?? "",
    from: line.sourceIPs?.[0] ?? "",
    verb: line.verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    group: apiGroup,
    namespace: namespace ?? "",
    name: name ?? "",
    uri: line.requestURI,
    status: line.responseStatus?.code ?? 0,
  };
}
