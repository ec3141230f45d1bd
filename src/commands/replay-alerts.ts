// The alerts of a replay in the order in which the live detector would have raised them. Principals are evaluated one after
// the other, so their alerts wait here until all are known; beyond 16 MiB on disk (run-sorter.ts).
import type { Alert } from '../alerts/alert.ts'
import { RunSorter } from './run-sorter.ts'

/** Takes alerts principal by principal, gives them back by the time of what raised them. */
export function alertSorter(maxBytes = 16 << 20): RunSorter<Alert, number> {
  return new RunSorter<Alert, number>(
    {
      // No member of an alert is lost in JSON: numbers are finite, nothing is undefined.
      encode: alert => Buffer.from(JSON.stringify(alert)),
      decode: bytes => JSON.parse(bytes.toString()) as Alert,
      place: ({ detectedAt }) => detectedAt,
      compare: (a, b) => a - b,
    },
    maxBytes,
  )
}
