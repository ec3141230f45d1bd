// Scales and their ticks: from values to pixels, with round numbers to read them by.
// Pure. Times are epoch milliseconds and read in UTC; every function is total for finite input.
import { rfc3339 } from '../rfc3339.ts'

/** Places values between two pixels. */
export type Scale = (value: number) => number

/** A tick with its text. */
export interface Tick {
  readonly value: number
  readonly label: string
}

/** Linear from [low, high] to [from, to]; an empty domain lies in the middle. */
export function linear(low: number, high: number, from: number, to: number): Scale {
  if (!(high > low)) return () => (from + to) / 2
  return value => from + ((value - low) / (high - low)) * (to - from)
}

/** Round ticks from 0 to at least `high`, `about` so many; whole numbers, since what is counted is whole. */
export function countTicks(high: number, about = 4): readonly number[] {
  const rough = Math.max(1, high / about)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = Math.max(1, [1, 2, 5, 10].map(n => n * power).find(size => size >= rough) ?? rough)
  const ticks = [0]
  while ((ticks.at(-1) ?? 0) < high) ticks.push((ticks.at(-1) ?? 0) + step)
  return ticks
}

/** Round ticks from 0 to at least `high` for a quantity that need not be whole, such as alerts per day. */
export function measureTicks(high: number, about = 4): readonly number[] {
  if (!(high > 0)) return [0, 1]
  const rough = high / about
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(n => n * power).find(size => size >= rough * (1 - 1e-9)) ?? rough
  const count = Math.ceil(high / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)))
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour
const steps = [
  ...[1, 2, 5, 10, 15, 30].map(n => n * second),
  ...[1, 2, 5, 10, 15, 30].map(n => n * minute),
  ...[1, 2, 3, 6, 12].map(n => n * hour),
  ...[1, 2, 4, 7, 14, 28, 91, 182, 364, 1820, 18_200].map(n => n * day),
]

/** At most `most` round times in [from, to]. The first tick, and the first of each day, say the date. */
export function timeTicks(from: number, to: number, most: number): readonly Tick[] {
  const step = steps.find(size => (to - from) / size <= most) ?? Math.max(1, (to - from) / most)
  const ticks: Tick[] = []
  let shownDay = ''
  for (let value = Math.ceil(from / step) * step; value <= to && ticks.length <= most; value += step) {
    const text = rfc3339(value)
    const date = text.slice(0, 10)
    const time = text.slice(11, step < minute ? 19 : 16)
    ticks.push({ value, label: step >= day ? date : date === shownDay ? time : `${date} ${time}` })
    shownDay = date
  }
  return ticks
}
