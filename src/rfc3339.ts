// Epoch milliseconds to RFC 3339 text in UTC with milliseconds: the one form in which times leave the program as JSON.
// Pure and without Date objects. Total: every number gives a valid timestamp, so no alert or event fails on its clock.

/** 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: RFC 3339 section 1 has four-digit years only. */
const earliest = -62_167_219_200_000
const latest = 253_402_300_799_999

const dayMs = 86_400_000

// Neighbouring records share their day; the calendar arithmetic runs once per change of day.
let cachedDay = NaN
let cachedText = ''

function two(n: number): string {
  return n < 10 ? `0${n}` : `${n}`
}

/**
 * Date of a day number (0 = 1970-01-01) in the proleptic Gregorian calendar.
 * Days are counted from 0000-03-01, so that the leap day ends a year; eras of 400 years have 146097 days.
 */
function dateText(day: number): string {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  // March is month 0; 153 days in every five months from March on.
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const dayOfMonth = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(dayOfMonth)}`
}

/**
 * RFC 3339 timestamp, UTC, three decimals: `2026-11-23T00:55:42.000Z`. Equal to `Date.prototype.toISOString` for years
 * 0000 to 9999.
 *
 * @param ms epoch milliseconds; a fraction is cut downwards. Values beyond the years 0000 to 9999 give the nearest
 *   timestamp that RFC 3339 can express; NaN gives the earliest.
 */
export function rfc3339(ms: number): string {
  const t = ms >= earliest ? Math.floor(ms <= latest ? ms : latest) : earliest
  const day = Math.floor(t / dayMs)
  if (day !== cachedDay) {
    cachedText = dateText(day)
    cachedDay = day
  }
  const inDay = t - day * dayMs
  const seconds = Math.floor(inDay / 1000)
  const minutes = Math.floor(seconds / 60)
  const milli = inDay - seconds * 1000
  const fraction = milli < 10 ? `00${milli}` : milli < 100 ? `0${milli}` : `${milli}`
  return `${cachedText}T${two(Math.floor(minutes / 60))}:${two(minutes % 60)}:${two(seconds % 60)}.${fraction}Z`
}
