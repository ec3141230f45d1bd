// Memory for produce requests, used again. A request of a megabyte outlives no answer, but made anew each time its memory
// counts as external to V8's heap, which answers every 64 MB of it with a full collection: a fifth of the normalizer's
// CPU time. So a buffer goes back here once the broker has answered, for then nothing of it waits to be sent.

const smallest = 1 << 18
// Requests in flight are a few per process; a buffer that one huge record needed is not kept.
const mostSpare = 8
const largestSpare = 4 << 20

const spare: Buffer[] = []

/** A growing place to write to. */
export class RequestBuffer {
  bytes: Buffer
  /** Where the next byte goes: callers write behind it and move it. */
  position = 0

  constructor(size: number) {
    const index = spare.findIndex(({ length }) => length >= size)
    this.bytes = index === -1 ? Buffer.allocUnsafeSlow(Math.max(smallest, size)) : (spare.splice(index, 1)[0] as Buffer)
  }

  /** Makes room for `size` bytes behind the position; what was written stays. */
  reserve(size: number): void {
    const needed = this.position + size
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.position)
    this.bytes = larger
  }

  /** Gives the memory back. Nobody may read or write it any more. */
  release(): void {
    if (spare.length < mostSpare && this.bytes.length <= largestSpare) spare.push(this.bytes)
  }
}

/** Buffers of requests that wait for an answer, by what identifies the request. */
const waiting = new WeakMap<object, RequestBuffer>()

/** Keeps the buffer of a request until {@link returningBuffers} sees its answer. */
export function awaitingAnswer(request: object, buffer: RequestBuffer): void {
  waiting.set(request, buffer)
}

interface ProduceCall {
  readonly acks?: number
  readonly topicData: object
}

type Produce = (this: object, call: ProduceCall) => Promise<unknown>

/**
 * Wraps Broker.prototype.produce (kafkajs src/broker/index.js): an answered request gives its buffer back. One that
 * failed may still be on its way, and one without acknowledgement is never answered: theirs goes to the garbage collector.
 */
export function returningBuffers(original: Produce): Produce {
  return async function produce(call) {
    const answer = await original.call(this, call)
    if (call.acks !== 0) waiting.get(call.topicData)?.release()
    waiting.delete(call.topicData)
    return answer
  }
}
