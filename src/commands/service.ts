// A long-running verb as a well-behaved process: HTTP endpoint first, start retried while cluster or registry are away,
// one clean stop on the first signal, non-zero end when the loop cannot go on so that a supervisor restarts it.
import { setTimeout as sleep } from 'node:timers/promises'
import { asTrailwardenError, twError } from '../errors.ts'
import { serveHealth } from '../metrics/http.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { LagWatch } from '../pipeline/lag-watch.ts'
import type { LagWatchOptions } from '../pipeline/lag-watch.ts'
import type { RunningLoop } from '../pipeline/running-loop.ts'
import type { CommandContext } from './command.ts'

const RETRY_MS = 2000
// Kubernetes gives 30 s by default before it kills; we promise 10.
const STOP_MS = 10_000
// A client goes on asking for longer than anybody should believe that the cluster is there.
const LOOK_MS = 10_000

/** Runs a loop until the stop signal or its own end. Resolves to 0 after a clean stop. */
export async function runService(
  context: CommandContext,
  metrics: Metrics,
  defaultPort: number,
  start: () => Promise<RunningLoop>,
): Promise<number> {
  const { config, log, stop } = context
  let loop: RunningLoop | null = null
  let failed = false
  const host = config.HTTP_HOST
  const port = config.HTTP_PORT ?? defaultPort
  // Ready ends with the signal and not with the loop, so that nothing new is sent here while the work in hand is finished.
  // Live does not: a restart in the middle of a clean stop would only make it an unclean one.
  const health = { ready: () => !failed && !stop.aborted && (loop?.ready() ?? false), live: () => !failed }
  const server = await serveHealth({ host, port, registry: metrics.registry, health }).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException
    throw twError('TW_CONFIG_INVALID', `HTTP_HOST ${host}, HTTP_PORT ${port}: cannot be bound (${code}).`, error)
  })
  log.info({ port: server.port }, 'Serving /metrics, /livez and /readyz.')
  try {
    loop = await startPatiently(context, start)
    if (loop === null) return 0
    log.info({}, 'Started.')
    await Promise.race([loop.done, aborted(stop)])
    log.info({}, 'Stopping.')
    const clean = await inTime(loop.stop())
    log.info({ clean }, clean ? 'Stopped.' : 'Stopped before everything was closed; the broker will notice.')
    return 0
  } catch (thrown) {
    failed = true
    if (loop !== null) await inTime(loop.stop().catch(() => undefined))
    throw thrown
  } finally {
    await server.close()
  }
}

/**
 * A loop on a cluster: its lag is looked at from outside, it is ready only while the cluster answers, and its client is
 * closed with it.
 */
export function onCluster(loop: RunningLoop, options: Omit<LagWatchOptions, 'loop'>, lookMs = LOOK_MS): RunningLoop {
  const { log } = options
  const offsets = async (topic: string) => {
    const asked = log.offsets(topic)
    const over = new AbortController()
    const away = sleep(lookMs, undefined, { signal: over.signal, ref: false }).then(() => {
      throw twError('TW_BROKER_UNAVAILABLE', `No answer within ${lookMs / 1000} s.`)
    })
    return Promise.race([asked, away]).finally(() => over.abort())
  }
  const watch = new LagWatch({ ...options, loop, log: { ...log, offsets } })
  return {
    done: loop.done,
    ready: () => loop.ready() && watch.reachable(),
    positions: () => loop.positions(),
    async stop() {
      watch.stop()
      await loop.stop()
      await options.log.close()
    },
  }
}

async function startPatiently(context: CommandContext, start: () => Promise<RunningLoop>): Promise<RunningLoop | null> {
  const { log, stop } = context
  const stopped = aborted(stop)
  while (!stop.aborted) {
    try {
      const starting = start()
      await Promise.race([starting, stopped])
      if (!stop.aborted) return await starting
      // Asked to stop while it connects or joins: what comes up within the time is closed again.
      log.info({}, 'Stopping while starting.')
      const over = starting.then(
        loop => loop.stop(),
        () => undefined,
      )
      if (!(await inTime(over))) log.info({}, 'Stopped before everything was closed; the broker will notice.')
      return null
    } catch (thrown) {
      const error = asTrailwardenError(thrown)
      const waiting = error.code === 'TW_BROKER_UNAVAILABLE' || error.code === 'TW_REGISTRY_UNAVAILABLE'
      if (!waiting) throw error
      log.warn(
        { code: error.code, reason: error.message },
        `Not ready: ${error.hint} Trying again in ${RETRY_MS / 1000} s.`,
      )
      await sleep(RETRY_MS, undefined, { signal: stop }).catch(() => undefined)
    }
  }
  return null
}

/** True when the work ends within the time that a stop may take. */
async function inTime(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), sleep(STOP_MS, false, { ref: false })])
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
