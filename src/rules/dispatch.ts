// Finds the predicates that could match an event from its eventSource and eventName alone, so that hundreds of rules about
// other calls cost one lookup. Pure but for a bounded memory of calls seen, which no result depends on.
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Predicate } from './rule.ts'
import { impliedBy } from './test.ts'
import type { Test } from './test.ts'
import { fold } from './text.ts'

// An account uses some thousands of (source, name) pairs; made-up names must not grow the memory past this.
const maxPairs = 8192
const none: readonly number[] = []

/** A detection rule ready to be dispatched. */
export interface Compiled {
  readonly ruleId: string
  readonly test: Test<CloudTrailEvent>
}

export interface Dispatch {
  readonly predicates: readonly Predicate[]
  readonly match: (event: CloudTrailEvent) => readonly number[]
  readonly wants: (eventSource: string, eventName: string) => boolean
}

/** Builds the index. `match` gives indices into `predicates`, ascending. */
export function buildDispatch(compiled: readonly Compiled[]): Dispatch {
  const byName = new Map<string, number[]>()
  const bySource = new Map<string, number[]>()
  const always: number[] = []
  const sources = compiled.map(({ test }) => boundTo(test, 'eventSource'))
  const names = compiled.map(({ test }) => boundTo(test, 'eventName'))
  compiled.forEach((_, index) => {
    const keys = names[index] ?? sources[index]
    if (keys === undefined) always.push(index)
    else for (const key of keys) push(names[index] === undefined ? bySource : byName, key, index)
  })

  const candidatesOf = (eventSource: string, eventName: string): readonly number[] => {
    const source = fold(eventSource)
    const found = [...(byName.get(fold(eventName)) ?? none), ...(bySource.get(source) ?? none), ...always]
    const possible = found.filter(index => sources[index]?.has(source) ?? true).sort((a, b) => a - b)
    return possible.length === 0 ? none : possible
  }
  let memory = new Map<string, Map<string, readonly number[]>>()
  let pairs = 0
  const candidates = (eventSource: string, eventName: string): readonly number[] => {
    const known = memory.get(eventName)?.get(eventSource)
    if (known !== undefined) return known
    if (++pairs > maxPairs) {
      memory = new Map()
      pairs = 1
    }
    const found = candidatesOf(eventSource, eventName)
    const ofName = memory.get(eventName) ?? new Map<string, readonly number[]>()
    memory.set(eventName, ofName.set(eventSource, found))
    return found
  }

  const tests = compiled.map(({ test }) => test.test)
  return {
    predicates: compiled.map(({ ruleId, test }) => ({ ruleId, test: test.test })),
    match: event => {
      const possible = candidates(event.eventSource, event.eventName)
      if (possible.length === 0) return none
      let matched: number[] | null = null
      for (const index of possible) {
        if (tests[index]?.(event) === true) (matched ??= []).push(index)
      }
      return matched ?? none
    },
    wants: (eventSource, eventName) => candidates(eventSource, eventName).length > 0,
  }
}

function boundTo(test: Test<CloudTrailEvent>, field: string): ReadonlySet<string> | undefined {
  const equality = impliedBy(test).find(implied => implied.field === field)
  return equality === undefined ? undefined : new Set(equality.values)
}

function push(map: Map<string, number[]>, key: string, index: number): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [index])
  else list.push(index)
}
