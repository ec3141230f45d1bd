// Whether a rule set wants a call, answered from the bytes of its names: the texts are made once for a call and not once for
// an event. Pure but for a bounded memory, which no answer depends on.
import type { RuleSet } from '../rules/rule.ts'
import { hashOfEnds, isSameRun } from './byte-runs.ts'

/** Places for calls, a power of two. An account uses some thousands. */
const places = 4096

/** A call: the bytes of eventSource and behind them those of eventName. */
interface Call {
  readonly bytes: Buffer
  readonly sourceBytes: number
  readonly wanted: boolean
}

/** Remembers what a rule set said. */
export class WantedCalls {
  readonly #wants: RuleSet['wants']
  /** By a hash of the call; of two calls with one place the later one has it, so that made-up ones grow nothing. */
  readonly #calls = new Array<Call | null>(places).fill(null)

  constructor(wants: RuleSet['wants']) {
    this.#wants = wants
  }

  /** Whether the call whose service and name stand there, in UTF-8, is wanted. */
  has(bytes: Buffer, sourceStart: number, sourceEnd: number, nameStart: number, nameEnd: number): boolean {
    const hash = hashOfEnds(bytes, nameStart, nameEnd, hashOfEnds(bytes, sourceStart, sourceEnd))
    const place = (hash ^ (hash >>> 15)) & (places - 1)
    const known = this.#calls[place]
    const sourceBytes = sourceEnd - sourceStart
    if (
      known != null &&
      known.sourceBytes === sourceBytes &&
      known.bytes.length === sourceBytes + nameEnd - nameStart &&
      isSameRun(known.bytes, 0, bytes, sourceStart, sourceEnd) &&
      isSameRun(known.bytes, sourceBytes, bytes, nameStart, nameEnd)
    )
      return known.wanted
    const wanted = this.#wants(
      bytes.toString('utf8', sourceStart, sourceEnd),
      bytes.toString('utf8', nameStart, nameEnd),
    )
    // A copy: a slice would keep the whole fetch.
    const copy = Buffer.concat([bytes.subarray(sourceStart, sourceEnd), bytes.subarray(nameStart, nameEnd)])
    this.#calls[place] = { bytes: copy, sourceBytes, wanted }
    return wanted
  }
}
