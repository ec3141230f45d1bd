// Typed reading of one map of a rule file: every accessor reports a wrong type where it stands and goes on. Pure.
import type { Entry, MapValue, ScalarValue, Value } from './document.ts'
import { parseDuration } from './duration.ts'
import type { Place, Problems } from './problems.ts'
import { didYouMean } from './problems.ts'

/** A map of a rule file with its name in messages. */
export class Section {
  readonly map: MapValue
  readonly name: string
  readonly problems: Problems

  constructor(map: MapValue, name: string, problems: Problems) {
    this.map = map
    this.name = name
    this.problems = problems
  }

  entry(key: string): Entry | undefined {
    return this.map.entries.find(entry => entry.key === key)
  }

  value(key: string): Value | undefined {
    return this.entry(key)?.value
  }

  at(key: string): Place {
    return this.value(key)?.at ?? this.map.at
  }

  /** Reports keys that are not among `allowed`. */
  closed(allowed: readonly string[]): void {
    for (const { key, keyAt } of this.map.entries) {
      if (!allowed.includes(key))
        this.problems.add(keyAt, `unknown key '${key}' in ${this.name}`, didYouMean(key, allowed))
    }
  }

  missing(key: string, hint: string): null {
    this.problems.add(this.map.at, `${this.name} has no '${key}'`, hint)
    return null
  }

  scalar(key: string): ScalarValue | null {
    const value = this.value(key)
    if (value === undefined) return null
    if (value.kind === 'scalar') return value
    this.problems.add(value.at, `'${key}' is a ${value.kind}`, 'Write a single value')
    return null
  }

  text(key: string): string | null {
    const scalar = this.scalar(key)
    if (scalar === null) return null
    if (scalar.value !== null && scalar.source.trim() !== '') return scalar.source
    this.problems.add(scalar.at, `'${key}' is empty`, 'Write a text, or remove the key')
    return null
  }

  /** A text, or a list of texts. */
  texts(key: string): ScalarValue[] {
    const value = this.value(key)
    if (value === undefined) return []
    const items = value.kind === 'list' ? value.items : [value]
    const texts: ScalarValue[] = []
    for (const item of items) {
      if (item.kind === 'scalar' && item.value !== null && item.source !== '') texts.push(item)
      else this.problems.add(item.at, `'${key}' holds something that is not a text`, 'Write texts')
    }
    return texts
  }

  choice<const C extends string>(key: string, allowed: readonly C[]): C | null {
    const text = this.text(key)
    if (text === null) return null
    const chosen = allowed.find(word => word === text)
    if (chosen === undefined) this.problems.add(this.at(key), `'${text}' is not a ${key}`, didYouMean(text, allowed))
    return chosen ?? null
  }

  boolean(key: string): boolean | null {
    const scalar = this.scalar(key)
    if (scalar === null) return null
    if (typeof scalar.value === 'boolean') return scalar.value
    this.problems.add(scalar.at, `'${key}' is not a boolean`, 'Write true or false')
    return null
  }

  number(key: string, bounds: { readonly min: number; readonly max: number; readonly whole?: boolean }): number | null {
    const scalar = this.scalar(key)
    if (scalar === null) return null
    const { value } = scalar
    const fits = typeof value === 'number' && value >= bounds.min && value <= bounds.max
    if (fits && (bounds.whole !== true || Number.isInteger(value))) return value
    const kind = bounds.whole === true ? 'a whole number' : 'a number'
    this.problems.add(scalar.at, `'${key}' is not ${kind} from ${bounds.min} to ${bounds.max}`, `Write ${kind}`)
    return null
  }

  /** Milliseconds. */
  duration(key: string, bounds: { readonly min: number; readonly max: number }): number | null {
    const scalar = this.scalar(key)
    if (scalar === null) return null
    const parsed = parseDuration(scalar.source)
    if (typeof parsed !== 'number') this.problems.add(scalar.at, parsed.problem, parsed.hint)
    else if (parsed < bounds.min || parsed > bounds.max) {
      this.problems.add(
        scalar.at,
        `'${key}' of ${scalar.source} is out of range`,
        `Use ${days(bounds.min)} to ${days(bounds.max)}`,
      )
    } else return parsed
    return null
  }

  section(key: string, name: string): Section | null {
    const value = this.value(key)
    if (value === undefined) return null
    if (value.kind === 'map') return new Section(value, name, this.problems)
    this.problems.add(value.at, `${name} is a ${value.kind}`, 'Write keys and values')
    return null
  }
}

function days(ms: number): string {
  return ms % 86_400_000 === 0 && ms > 0
    ? `${ms / 86_400_000}d`
    : ms % 60_000 === 0 && ms > 0
      ? `${ms / 60_000}m`
      : `${ms / 1000}s`
}
