// What the unit tests of the in-process log share: a small log with a counting clock, and a gate that can be held.
import type { Gate } from '../../src/log/gate.ts'
import { inProcessLog } from '../../src/log/in-process.ts'
import type { InProcessLog, InProcessOptions } from '../../src/log/in-process.ts'

export const topic = 'topic'
export const group = 'group'

/** A log with one topic; every append is a millisecond after the one before. */
export function newLog(options: Partial<InProcessOptions> = {}, partitions = 1): InProcessLog {
  let time = 0
  const log = inProcessLog({ now: () => time++, ...options })
  log.createTopic(topic, { partitions })
  return log
}

/** A gate that holds every passage of one point until it is opened. */
export function barrier(closed: string): { gate: Gate; open: () => void; waiting: () => number } {
  const opened = Promise.withResolvers<void>()
  let waiting = 0
  const gate: Gate = async point => {
    if (point !== closed) return
    waiting += 1
    await opened.promise
  }
  return { gate, open: opened.resolve, waiting: () => waiting }
}
