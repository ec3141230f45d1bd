// Every request of a kafkajs client, seen where kafkajs makes its clusters: consumers, producers, admin and our own reading.
// kafkajs reports requests to the emitter of each cluster; ours stands in front of it and passes everything on.

import type { Kafka } from 'kafkajs'
import { clusterFactoryOf } from './internals.ts'

/** Who wants to know. Called once per request, so it must be cheap and must not throw. */
export interface RequestObserver {
  /** Answered after so many milliseconds. `api` is a name of the Kafka protocol, such as `Fetch`. */
  answered(api: string, ms: number): void
  /** Not answered in time. */
  timedOut(api: string): void
}

interface Emitter {
  emit(name: string, payload: { readonly apiName: string; readonly duration?: number }): void
}

// Names in kafkajs' src/network/instrumentationEvents.js.
const answered = 'network.request'
const timedOut = 'network.request_timeout'

/** Reports the requests of every cluster that the client makes from now on. */
export function observeRequests(kafka: Kafka, observer: RequestObserver): void {
  const factory = clusterFactoryOf(kafka)
  const make = factory.create
  factory.create = options => {
    const inner = options['instrumentationEmitter'] as Emitter | null | undefined
    const emitter: Emitter = {
      emit(name, payload) {
        if (name === answered) observer.answered(payload.apiName, payload.duration ?? 0)
        else if (name === timedOut) observer.timedOut(payload.apiName)
        inner?.emit(name, payload)
      },
    }
    return make({ ...options, instrumentationEmitter: emitter })
  }
}
