// When a broker or a registry is ready: it answers, and what it advertises is what the tests were told.
// Speaks the one Kafka request it needs (Metadata) itself, so that the ladder depends on no Kafka client.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** A broker as the cluster advertises it. */
export interface Member {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/**
 * Asks one broker (`host:port`) for the members of its cluster. Rejects when it does not answer within `timeoutMs`.
 * Metadata version 4, understood from Kafka 0.11 to 4.x: https://kafka.apache.org/protocol#The_Messages_Metadata
 */
export async function clusterMembers(address: string, timeoutMs = 2_000): Promise<Member[]> {
  const colon = address.lastIndexOf(':')
  const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) })
  const timer = setTimeout(
    () => socket.destroy(new Error(`${address} did not answer in ${String(timeoutMs)} ms`)),
    timeoutMs,
  )
  try {
    socket.write(metadataRequest())
    let received = Buffer.alloc(0)
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk])
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) return membersOf(received)
    }
    throw new Error(`${address} closed the connection`)
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/**
 * Resolves when every broker answers and sees exactly `brokers` (or at least as many, when `exact` is false, for clusters
 * that are not ours). `alive` is called before every attempt and may throw to give up early.
 */
export async function brokersReady(
  brokers: readonly string[],
  timeoutMs: number,
  exact = true,
  alive: () => void = () => undefined,
): Promise<void> {
  const wanted = new Set(brokers.map(address => Number(address.slice(address.lastIndexOf(':') + 1))))
  await until(`Kafka at ${brokers.join(',')}`, timeoutMs, async () => {
    alive()
    for (const address of brokers) {
      const members = await clusterMembers(address)
      const complete = exact
        ? members.length === wanted.size && members.every(m => wanted.has(m.port))
        : members.length > 0
      if (!complete) return `advertises ${members.map(m => `${m.host}:${String(m.port)}`).join(',') || 'nothing'}`
    }
    return undefined
  })
}

/** Resolves when a GET of `url` gives a 2xx status. */
export async function httpReady(url: string, timeoutMs: number, alive: () => void = () => undefined): Promise<void> {
  await until(url, timeoutMs, async () => {
    alive()
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.ok ? undefined : `status ${String(response.status)}`
  })
}

/** A wait that is pointless to go on with, thrown by `alive`. */
export class GivenUp extends Error {}

async function until(what: string, timeoutMs: number, attempt: () => Promise<string | undefined>): Promise<void> {
  const end = performance.now() + timeoutMs
  let last = ''
  while (performance.now() < end) {
    try {
      const unready = await attempt()
      if (unready === undefined) return
      last = unready
    } catch (error) {
      if (error instanceof GivenUp) throw error
      last = reasonOf(error)
    }
    await sleep(100)
  }
  throw new Error(`${what} not ready in ${String(timeoutMs)} ms: ${last}`)
}

/** The message of any thrown value; fetch hides its reason in `cause`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message === 'fetch failed' && error.cause instanceof Error ? error.cause.message : error.message
}

function metadataRequest(): Buffer {
  const client = Buffer.from('trailwarden-harness')
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length + 4 + 1)
  request.writeInt32BE(request.length - 4, 0)
  request.writeInt16BE(3, 4) // api key: Metadata
  request.writeInt16BE(4, 6) // version
  request.writeInt32BE(1, 8) // correlation id
  request.writeInt16BE(client.length, 12)
  client.copy(request, 14)
  request.writeInt32BE(0, 14 + client.length) // no topics
  request.writeInt8(0, 18 + client.length) // and none to create
  return request
}

function membersOf(response: Buffer): Member[] {
  let at = 4 + 4 + 4 // size, correlation id, throttle time
  const count = response.readInt32BE(at)
  at += 4
  const members: Member[] = []
  for (let i = 0; i < count; i++) {
    const nodeId = response.readInt32BE(at)
    const length = response.readInt16BE(at + 4)
    const host = response.toString('utf8', at + 6, at + 6 + length)
    at += 6 + length
    members.push({ nodeId, host, port: response.readInt32BE(at) })
    const rack = response.readInt16BE(at + 4)
    at += 6 + Math.max(rack, 0)
  }
  return members
}
