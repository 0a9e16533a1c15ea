// A point in time as people read it. The model has no clock and no calendar of the platform: the
// days are counted here, by the Gregorian rules that RFC 3339 asks for.

const DAY_MS = 86_400_000;
/** Days of 400 years, after which the calendar repeats. */
const ERA_DAYS = 146_097;
/** From 1 March of the year 0, with which the count begins, to 1970-01-01. */
const EPOCH_DAYS = 719_468;

/** RFC 3339 in UTC, to the second: 2026-11-28T03:29:14Z. `ms`: epoch ms, not negative. */
export function instantText(ms: number): string {
  const seconds = Math.floor((ms % DAY_MS) / 1000);
  const { year, month, day } = dateOf(Math.floor(ms / DAY_MS));
  const date = [padded(year, 4), padded(month), padded(day)].join("-");
  const time = [seconds / 3600, (seconds / 60) % 60, seconds % 60];
  return `${date}T${time.map((part) => padded(Math.floor(part))).join(":")}Z`;
}

/** The date so many days after 1970-01-01. A year begins in March, so that it ends in February. */
function dateOf(days: number): {
  readonly year: number;
  readonly month: number;
  readonly day: number;
} {
  const count = days + EPOCH_DAYS;
  const era = Math.floor(count / ERA_DAYS);
  const dayOfEra = count - era * ERA_DAYS;
  // Without leap days, which are one in 4 years but for 3 in 400.
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - (365 * yearOfEra + leapDays);
  // Five months from March on have 153 days, and again.
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function padded(value: number, digits = 2): string {
  return String(value).padStart(digits, "0");
}
