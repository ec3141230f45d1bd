// ISO 8601 to epoch milliseconds for eventTime and sessionContext.attributes.creationDate.
// Pure, without Date: the common form `YYYY-MM-DDTHH:MM:SSZ` is read by its bytes, the others by one pattern.

const extended =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?([Zz]|[+-]\d\d(?::?\d\d)?)| (\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?: ?(?:Z|UTC))?)$/
const basic = /^(\d{4})(\d\d)(\d\d)[Tt](\d\d)(\d\d)(?:(\d\d)(?:[.,](\d+))?)?([Zz]|[+-]\d\d(?::?\d\d)?)$/

/**
 * Epoch milliseconds of an ISO 8601 timestamp, null if the text is none.
 *
 * Accepts extended (`2026-01-02T03:04:05Z`) and basic (`20260102T030405Z`) forms, a fraction (cut to milliseconds), `Z`
 * or an offset, a leap second (counted as the next second), and CloudTrail Lake's `2026-01-02 03:04:05.000`, which is
 * UTC. A `T` form without a zone is refused: it would be somebody's local time.
 */
export function parseTime(value: string): number | null {
  if (value.length === commonLength) {
    for (let at = 0; at < commonLength; at++) characters[at] = Math.min(value.charCodeAt(at), 0x7f)
    const common = parseTimeAt(characters, 0, commonLength)
    if (common !== null) return common
  }
  const m = extended.exec(value) ?? basic.exec(value)
  if (m === null) return null
  const number = (i: number): number => Number(m[i] ?? '0')
  const time = m[9] === undefined ? 4 : 9
  const fraction = m[time === 9 ? 12 : 7] ?? ''
  const millis = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const offset = offsetOf(m[8])
  if (Number.isNaN(offset)) return null
  return timeOf(number(1), number(2), number(3), number(time), number(time + 1), number(time + 2), millis, offset)
}

const commonLength = 20
const characters = new Uint8Array(commonLength)

/** {@link parseTime} of bytes, for the common form `YYYY-MM-DDTHH:MM:SSZ` only: null for any other, valid or not. */
export function parseTimeAt(bytes: Uint8Array, start: number, end: number): number | null {
  if (
    end - start !== commonLength ||
    bytes[start + 4] !== 0x2d ||
    bytes[start + 7] !== 0x2d ||
    bytes[start + 10] !== 0x54 ||
    bytes[start + 13] !== 0x3a ||
    bytes[start + 16] !== 0x3a ||
    bytes[start + 19] !== 0x5a
  )
    return null
  const year = two(bytes, start) * 100 + two(bytes, start + 2)
  const [month, day] = [two(bytes, start + 5), two(bytes, start + 8)]
  return timeOf(year, month, day, two(bytes, start + 11), two(bytes, start + 14), two(bytes, start + 17), 0, 0)
}

/** Two digits at `at`; NaN if they are not digits. */
function two(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - 0x30
  const ones = (bytes[at + 1] ?? 0) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

/** Minutes east of UTC; NaN out of range. */
function offsetOf(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(3).replace(':', '') || '0')
  if (hours > 23 || minutes > 59) return NaN
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function timeOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  millis: number,
  offsetMinutes: number,
): number | null {
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const last = month === 2 && leap ? 29 : (monthDays[month - 1] ?? 0)
  // Written so that NaN, which compares false with everything, is refused.
  if (!(year >= 0 && day >= 1 && day <= last && hour <= 23 && minute <= 59 && second <= 60)) return null
  return dayNumber(year, month, day) * 86_400_000 + ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1000 + millis
}

/** Days since 1970-01-01, proleptic Gregorian: years begin in March, so that the leap day is the last of its year. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + dayOfYear - 719_468
}
