// Sigma's condition language over search identifiers: and, or, not, parentheses, `1 of x*`, `all of them`. Pure.
// A recursive-descent parser with the precedence of the specification (not binds closer than and, and than or).
import type { ScalarValue } from './document.ts'
import type { Place, Problems } from './problems.ts'
import { didYouMean } from './problems.ts'
import { allOf, anyOf, negate } from './test.ts'
import type { Test } from './test.ts'
import { compilePattern, parsePattern } from './text.ts'

interface Word {
  readonly text: string
  readonly at: Place
}

class Refusal extends Error {
  readonly at: Place
  readonly hint: string

  constructor(at: Place, message: string, hint: string) {
    super(message)
    this.at = at
    this.hint = hint
  }
}

const maxWords = 2000
const maxDepth = 100

/**
 * Compiles a condition over compiled search identifiers. Null after reporting what is wrong with it.
 * `known` holds every identifier of the rule, also those that failed to compile (as null), so that one fault is one message.
 */
export function compileCondition<T>(
  condition: ScalarValue,
  known: ReadonlyMap<string, Test<T> | null>,
  problems: Problems,
): Test<T> | null {
  const words = wordsOf(condition)
  let next = 0
  let broken = false
  const end = placeIn(condition, condition.source.length)
  const peek = (): string => words[next]?.text.toLowerCase() ?? ''
  const take = (): Word => words[next++] ?? { text: '', at: end }

  const lookUp = (name: string): Test<T> => {
    const test = known.get(name) ?? null
    if (test === null) broken = true
    return test ?? { cost: 0, test: () => false }
  }
  const disjunction = (depth: number): Test<T> => chain('or', anyOf, () => conjunction(depth))
  const conjunction = (depth: number): Test<T> => chain('and', allOf, () => negation(depth))
  const chain = (word: string, join: (parts: readonly Test<T>[]) => Test<T>, part: () => Test<T>): Test<T> => {
    const parts = [part()]
    while (peek() === word) {
      take()
      parts.push(part())
    }
    return join(parts)
  }
  const negation = (depth: number): Test<T> => {
    if (depth > maxDepth)
      throw new Refusal(condition.at, 'the condition is nested too deeply', `Nest at most ${maxDepth} levels`)
    if (peek() !== 'not') return operand(depth)
    take()
    return negate(negation(depth + 1))
  }
  const operand = (depth: number): Test<T> => {
    const word = take()
    if (word.text === '(') {
      const inner = disjunction(depth + 1)
      const close = take()
      if (close.text !== ')') throw new Refusal(close.at, "a '(' is not closed", "Add ')'")
      return inner
    }
    if (word.text === '') throw new Refusal(word.at, 'the condition ends too early', 'Name a search identifier')
    if (word.text === ')' || ['and', 'or', 'of'].includes(word.text.toLowerCase())) {
      throw new Refusal(
        word.at,
        `'${word.text}' stands where a search identifier is expected`,
        `Write one of: ${[...known.keys()].join(', ')}`,
      )
    }
    if (peek() === 'of') return quantified(word)
    if (!known.has(word.text)) {
      throw new Refusal(
        word.at,
        `the rule has no search identifier '${word.text}'`,
        didYouMean(word.text, [...known.keys()]),
      )
    }
    return lookUp(word.text)
  }
  const quantified = (quantifier: Word): Test<T> => {
    const word = quantifier.text.toLowerCase()
    if (word !== '1' && word !== 'any' && word !== 'all') {
      throw new Refusal(quantifier.at, `'${quantifier.text} of' is not part of Sigma`, "Write '1 of' or 'all of'")
    }
    take()
    const pattern = take()
    if (pattern.text === '' || pattern.text === '(' || pattern.text === ')') {
      throw new Refusal(pattern.at, "'of' names nothing", "Write 'them' or a pattern such as 'selection*'")
    }
    const them = pattern.text.toLowerCase() === 'them'
    const matches = compilePattern(parsePattern(pattern.text), 'whole', true)
    const names = [...known.keys()].filter(name => (them ? !name.startsWith('_') : matches(name)))
    if (names.length === 0)
      throw new Refusal(
        pattern.at,
        `no search identifier matches '${pattern.text}'`,
        `There are: ${[...known.keys()].join(', ')}`,
      )
    return (word === 'all' ? allOf : anyOf)(names.map(lookUp))
  }

  try {
    if (words.length > maxWords)
      throw new Refusal(condition.at, 'the condition is too long', `Use at most ${maxWords} words`)
    const pipe = words.find(word => word.text === '|')
    if (pipe !== undefined) {
      throw new Refusal(
        pipe.at,
        "aggregations after '|' were removed from Sigma",
        'Write a correlation rule (event_count, value_count)',
      )
    }
    const test = disjunction(0)
    const rest = words[next]
    if (rest !== undefined) throw new Refusal(rest.at, `'${rest.text}' is not expected here`, "Join with 'and' or 'or'")
    return broken ? null : test
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    problems.add(error.at, error.message, error.hint)
    return null
  }
}

function wordsOf(condition: ScalarValue): Word[] {
  const words: Word[] = []
  for (const match of condition.source.matchAll(/[()|]|[^\s()|]+/g))
    words.push({ text: match[0], at: placeIn(condition, match.index) })
  return words
}

function placeIn(condition: ScalarValue, index: number): Place {
  const { at, inset } = condition
  return inset === null ? at : { ...at, column: at.column + inset + index }
}
