// Starts the process that reaps brokers, containers and folders when this process ends without stopping them.
// The pipe to it is the contract: the kernel closes it however this process dies, kill -9 included, so no signal
// handler is needed here and a caller's own handling of Ctrl-C stays its own.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** What the watchdog holds on to. */
export interface Watchdog {
  /** Kill this process when the owner is gone. */
  pid(pid: number): void
  /** Ended in order: its number may now belong to somebody else. */
  forget(pid: number): void
  /** Remove the containers with this label when the owner is gone, also those it was still waiting for. */
  containers(label: string): void
  /** Remove this container network when the owner is gone. */
  network(id: string): void
  /** Remove this folder when the owner is gone. */
  folder(path: string): void
  /** Everything was stopped in order: the watchdog ends and reaps nothing. */
  done(): void
}

/** Starts a watchdog that keeps neither this process nor its event loop alive. */
export function startWatchdog(): Watchdog {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.mjs')], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  child.unref()
  // If the watchdog itself was killed, writing to it must not take the tests down.
  child.on('error', () => undefined)
  child.stdin.on('error', () => undefined)
  ;(child.stdin as unknown as { unref?: () => void }).unref?.()
  const order = (line: Record<string, unknown>) => {
    child.stdin.write(`${JSON.stringify(line)}\n`)
  }
  return {
    pid: pid => {
      order({ pid })
    },
    forget: pid => {
      order({ forget: pid })
    },
    containers: label => {
      order({ containers: label })
    },
    network: id => {
      order({ network: id })
    },
    folder: path => {
      order({ folder: path })
    },
    done: () => {
      order({ done: true })
      child.stdin.end()
    },
  }
}
