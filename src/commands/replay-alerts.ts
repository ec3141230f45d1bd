// The alerts of a replay in the order in which the live detector would have raised them. Principals are evaluated one after
// the other, so their alerts wait here until all are known; beyond 16 MiB on disk (run-sorter.ts).
import type { Alert } from '../alerts/alert.ts'
import { RunSorter } from './run-sorter.ts'

/** In front of an alert's JSON: its place, so that nothing has to be parsed for it. */
const placeBytes = 8

/** Takes alerts principal by principal, gives them back by the time of what raised them. */
export function alertSorter(maxBytes = 16 << 20): RunSorter<Alert, number> {
  return new RunSorter<Alert, number>(
    {
      encode(alert) {
        // No member of an alert is lost in JSON: numbers are finite, nothing is undefined.
        const json = JSON.stringify(alert)
        const bytes = Buffer.allocUnsafe(placeBytes + Buffer.byteLength(json))
        bytes.writeDoubleBE(alert.detectedAt)
        bytes.write(json, placeBytes)
        return bytes
      },
      decode: bytes => JSON.parse(bytes.toString('utf8', placeBytes)) as Alert,
      place: bytes => bytes.readDoubleBE(),
      compare: (a, b) => a - b,
    },
    maxBytes,
  )
}
