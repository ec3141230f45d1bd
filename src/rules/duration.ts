// Sigma time spans: a number and a letter (s, m, h, d, w). Pure. Source: Sigma correlation specification 2.0.0, timespan.

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** Milliseconds of a span such as `10m`, or why it is none. Months and years have no fixed length and are refused. */
export function parseDuration(text: string): number | { readonly problem: string; readonly hint: string } {
  const match = /^(\d{1,9})([a-zA-Z]+)$/.exec(text.trim())
  const unit = match?.[2] ?? ''
  if (unit === 'M' || unit === 'y') {
    return { problem: `'${text}' has no fixed length`, hint: unit === 'M' ? "Write days: '30d'" : "Write days: '365d'" }
  }
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined
  if (match === null || factor === undefined) {
    return { problem: `'${text}' is not a time span`, hint: "Write a number and one of s, m, h, d, w: '10m'" }
  }
  return Number(match[1]) * factor
}
