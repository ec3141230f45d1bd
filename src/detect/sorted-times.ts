// Sorted arrays of event times: the one data structure under windows, evaluation times and episodes.
// Pure. Nearly all events come in order, so every operation looks at the end first and is O(1) there.

/** Number of elements ≤ `time`: the index at which an equal time would be inserted last. */
export function upperBound(times: readonly number[], time: number): number {
  let high = times.length
  if (high === 0 || (times[high - 1] as number) <= time) return high
  let low = 0
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] as number) <= time) low = middle + 1
    else high = middle
  }
  return low
}

/** Inserts `time` unless it is there. Returns whether it was new. */
export function insertDistinct(times: number[], time: number): boolean {
  const at = upperBound(times, time)
  if (at > 0 && times[at - 1] === time) return false
  if (at === times.length) times.push(time)
  else times.splice(at, 0, time)
  return true
}

/** Removes the leading elements ≤ `time` in place. */
export function dropThrough(times: number[], time: number): void {
  if (times.length === 0 || (times[0] as number) > time) return
  times.splice(0, upperBound(times, time))
}

/**
 * Keeps an array of distinct sorted times at `cap`: removes the inner time whose two neighbours are closest, so that
 * what is lost is resolution where the times are densest, never the first or the last.
 */
export function thinToCap(times: number[], cap: number): void {
  while (times.length > cap && times.length > 2) {
    let best = 1
    let narrowest = Infinity
    for (let i = 1; i < times.length - 1; i++) {
      const gap = (times[i + 1] as number) - (times[i - 1] as number)
      if (gap < narrowest) {
        narrowest = gap
        best = i
      }
    }
    times.splice(best, 1)
  }
}
