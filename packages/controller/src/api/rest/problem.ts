// Errors as REST clients read them: application/problem+json (RFC 9457) with our four parts, which
// are what, why with the value and the holder, what to do, and a code of a closed list.

import { IPAM_REASONS, type IpamReason, type Refusal } from "../../ipam/ipam-refusal.ts";

/** What can be wrong with a request, whatever it is about. */
export const REQUEST_CODES = [
  "UnknownRoute",
  "MethodNotAllowed",
  "BadRequest",
  "BodyTooLarge",
  "NotJson",
  "ForeignHost",
  "StoreUnavailable",
  "Busy",
  "NotLeading",
] as const;

/** One of them. */
export type RequestCode = (typeof REQUEST_CODES)[number];

/** One error. */
export interface Problem {
  readonly status: number;
  readonly code: RequestCode | IpamReason;
  readonly what: string;
  readonly why: string;
  readonly todo: string;
  readonly holder?: Refusal["holder"];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The media type of errors. */
export const PROBLEM_TYPE = "application/problem+json";

/** The object that is sent; `title` and `detail` are RFC 9457's words for what and why. */
export function problemBody({ status, code, what, why, todo, holder }: Problem): object {
  const type = `urn:fairlead:problem:${code}`;
  const own = holder === undefined ? {} : { holder };
  return { type, title: what, status, detail: why, todo, code, ...own };
}

/** An error of the request itself. */
export function badRequest(why: string): Problem {
  return {
    status: 400,
    code: "BadRequest",
    what: "the request is not understood",
    why,
    todo: "correct what is named; docs/reference/ipam.md has every field",
  };
}

/** A refusal of the IPAM service. */
export function refusalProblem({ reason, why, holder }: Refusal): Problem {
  const status = STATUSES[reason];
  const own = holder === undefined ? {} : { holder };
  return { status, code: reason, ...IPAM_REASONS[reason], why, ...own };
}

const STATUSES: Readonly<Record<IpamReason, number>> = {
  UnknownClass: 404,
  UnknownNetblock: 404,
  UnknownRegistration: 404,
  NameTaken: 409,
  UuidTaken: 409,
  ClassInUse: 409,
  NetblockOverlap: 409,
  NetblockInUse: 409,
  BadNetblock: 400,
  NoNetblock: 409,
  FamilyUnavailable: 409,
  AddressTaken: 409,
  AddressOutsideClass: 409,
  AddressUnusable: 409,
  ClassExhausted: 409,
  RegistrationDiffers: 409,
  LimitReached: 409,
};

/** The service could not do it now; nothing was done. */
export function unavailable(code: UnavailableCode, why: string): Problem {
  return { status: 503, code, ...UNAVAILABLE[code], why, headers: { "retry-after": "1" } };
}

type UnavailableCode = "StoreUnavailable" | "Busy" | "NotLeading";

const AGAIN = "send the same request again later, with the same uuid";

const UNAVAILABLE: Readonly<Record<UnavailableCode, Pick<Problem, "what" | "todo">>> = {
  StoreUnavailable: { what: "the service cannot use its store", todo: AGAIN },
  Busy: { what: "the service has too much to do", todo: AGAIN },
  NotLeading: {
    what: "another controller answers",
    todo: "send the same request to the controller that leads, with the same uuid",
  },
};
