// The little of Kafka's wire protocol that a proxy between client and broker needs: cutting a stream into frames,
// knowing a request's kind, and telling the client the proxy's addresses instead of the brokers'. Pure.
// https://kafka.apache.org/protocol: every frame is a 4-byte length and a body; answers carry the request's correlation id.

/** Numbers of the requests that matter here. */
export const apiKeys = { metadata: 3, findCoordinator: 10, endTxn: 26 } as const

/** The head of a request, enough to read its answer. */
export interface RequestHead {
  readonly apiKey: number
  readonly version: number
  readonly correlationId: number
}

/** Collects chunks of one direction of a connection and gives back complete frames, their length included. */
export class Frames {
  #chunks: Buffer[] = []
  #held = 0
  /** Bytes that are needed before there is anything to give: a frame of 10 MB is put together once, not with every chunk. */
  #needed = 4

  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk)
    this.#held += chunk.length
    if (this.#held < this.#needed) return []
    let rest = Buffer.concat(this.#chunks)
    const frames: Buffer[] = []
    for (;;) {
      this.#needed = rest.length < 4 ? 4 : 4 + rest.readInt32BE(0)
      if (rest.length < this.#needed) break
      frames.push(rest.subarray(0, this.#needed))
      rest = rest.subarray(this.#needed)
    }
    this.#chunks = [rest]
    this.#held = rest.length
    return frames
  }
}

export function requestHead(frame: Buffer): RequestHead {
  return { apiKey: frame.readInt16BE(4), version: frame.readInt16BE(6), correlationId: frame.readInt32BE(8) }
}

export function correlationIdOf(answer: Buffer): number {
  return answer.readInt32BE(4)
}

/** Whether an EndTxn request asks for a commit: the last field, up to version 2. */
export function isCommit(request: Buffer): boolean {
  return request.at(-1) === 1
}

/** Whether an EndTxn answer says that it is done: length, correlation id, throttle time, error code. */
export function isDone(answer: Buffer): boolean {
  return answer.readInt16BE(12) === 0
}

/** An address as answers name it. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * The answer to a Metadata or FindCoordinator request with every address replaced; any other answer as it is.
 * @throws Error for versions whose layout is not known here: rewriting nothing would lead the client around the proxy.
 */
export function withAddresses(
  answer: Buffer,
  { apiKey, version }: RequestHead,
  replace: (at: Address) => Address,
): Buffer {
  if (apiKey === apiKeys.metadata) return rewriteMetadata(answer, version, replace)
  if (apiKey === apiKeys.findCoordinator) return rewriteCoordinator(answer, version, replace)
  return answer
}

function rewriteMetadata(answer: Buffer, version: number, replace: (at: Address) => Address): Buffer {
  // From version 9 on lengths are variable: https://kafka.apache.org/protocol#The_Messages_Metadata
  if (version > 8) throw new Error(`Metadata version ${version} is not known to the proxy`)
  let at = 8 + (version >= 3 ? 4 : 0)
  const brokers = answer.readInt32BE(at)
  at += 4
  const parts: Buffer[] = [answer.subarray(4, at)]
  for (let broker = 0; broker < brokers; broker++) {
    const address = addressAt(answer, at + 4)
    parts.push(answer.subarray(at, at + 4), encoded(replace(address)))
    at = address.end
    if (version >= 1) {
      const rack = 2 + Math.max(0, answer.readInt16BE(at))
      parts.push(answer.subarray(at, at + rack))
      at += rack
    }
  }
  return framed([...parts, answer.subarray(at)])
}

function rewriteCoordinator(answer: Buffer, version: number, replace: (at: Address) => Address): Buffer {
  if (version > 2) throw new Error(`FindCoordinator version ${version} is not known to the proxy`)
  let at = 8
  if (version >= 1) {
    at += 4 + 2
    at += 2 + Math.max(0, answer.readInt16BE(at))
  } else at += 2
  const address = addressAt(answer, at + 4)
  return framed([answer.subarray(4, at + 4), encoded(replace(address)), answer.subarray(address.end)])
}

function addressAt(bytes: Buffer, at: number): Address & { readonly end: number } {
  const end = at + 2 + Math.max(0, bytes.readInt16BE(at))
  return { host: bytes.toString('utf8', at + 2, end), port: bytes.readInt32BE(end), end: end + 4 }
}

function encoded({ host, port }: Address): Buffer {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(host) + 4)
  bytes.writeInt16BE(Buffer.byteLength(host), 0)
  bytes.write(host, 2)
  bytes.writeInt32BE(port, bytes.length - 4)
  return bytes
}

function framed(parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length, 0)
  return Buffer.concat([length, body])
}
