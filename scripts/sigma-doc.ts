// Writes the tables of Sigma features in docs/rules.md, between their marks; `--check` fails when they have drifted. Lists are
// the loader's own; for everything else a sample is loaded: what is called supported has to load, and of what is refused the
// table quotes what the loader says.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { operators } from '../src/rules/correlation-condition.ts'
import { correlationTypes } from '../src/rules/correlation.ts'
import { loadRules } from '../src/rules/load.ts'
import { modifierNames, refusedModifiers, regexFlags } from '../src/rules/modifiers.ts'
import type { RuleError } from '../src/rules/problems.ts'

const path = join(import.meta.dirname, '..', 'docs', 'rules.md')
const begin = '<!-- written by `node scripts/sigma-doc.ts`, from here -->'
const end = '<!-- to here -->'

const quoted = (words: readonly string[]): string => words.map(word => `\`${word}\``).join(' ')

const detectionRule = (selection: string, condition = 'a', more = ''): string =>
  `title: T\nname: t\nlogsource: {product: aws, service: cloudtrail}\ndetection: {a: ${selection}, condition: '${condition}'${more}}\n`
const correlationRule = (body: string, more = ''): string =>
  `${detectionRule('{eventName: x}')}---\ntitle: C\nname: c\ncorrelation: {rules: [t], group-by: [principal], timespan: 10m, ${body}}\n${more}`

interface Supported {
  readonly part: string
  readonly what: string
  readonly samples: readonly string[]
}

const valueOf: Readonly<Record<string, string>> = {
  cidr: '10.0.0.0/8',
  exists: 'true',
  fieldref: 'eventName',
  all: '[x, y]',
}
const numeric = ['gt', 'gte', 'lt', 'lte', 'minute', 'hour', 'day', 'week', 'month', 'year']
const encoding = ['utf16le', 'wide', 'utf16be', 'utf16']

/** A selection that uses the modifier as it is meant to be used. */
function modifierSample(modifier: string): string {
  if (encoding.includes(modifier)) return `{'userAgent|${modifier}|base64': x}`
  if (modifier === 'base64offset') return `{'userAgent|base64offset|contains': curl}`
  if (['minute', 'hour', 'day', 'week', 'month', 'year'].includes(modifier)) return `{'eventTime|${modifier}': 5}`
  return `{'userAgent|${modifier}': ${numeric.includes(modifier) ? '5' : (valueOf[modifier] ?? 'x')}}`
}

const supported: readonly Supported[] = [
  {
    part: 'modifiers',
    what: quoted(modifierNames),
    samples: modifierNames.map(name => detectionRule(modifierSample(name))),
  },
  {
    part: 'flags of `re`',
    what: `${quoted(regexFlags)}; the syntax is RE2, linear in time, without lookaround and backreferences`,
    samples: regexFlags.map(flag => detectionRule(`{'userAgent|re|${flag}': x}`)),
  },
  {
    part: 'values',
    what: 'texts with `*` and `?`, numbers, booleans, `null`, lists of them',
    samples: ["'a*b?'", '5', 'true', 'null', '[a, 5]'].map(value => detectionRule(`{userAgent: ${value}}`)),
  },
  {
    part: 'search identifiers',
    what: 'maps, lists of maps, keyword lists (searched in everything: the dearest test there is)',
    samples: ['{eventName: x}', '[{eventName: x}, {eventName: y}]', '[word, other]'].map(value => detectionRule(value)),
  },
  {
    part: '`condition`',
    what: '`and` `or` `not`, parentheses, `1 of`, `any of`, `all of` with patterns or `them`; a list of conditions means any of them',
    samples: [
      ...['a and a', 'a or not a', '(a or a) and a', '1 of a*', 'any of a*', 'all of them'].map(condition =>
        detectionRule('{eventName: x}', condition),
      ),
      detectionRule('{eventName: x}').replace("condition: 'a'", 'condition: [a, not a]'),
    ],
  },
  {
    part: '`logsource`',
    what: '`product: aws`, `service: cloudtrail`',
    samples: [detectionRule('{eventName: x}')],
  },
  {
    part: 'correlation `type`',
    what: `${quoted(correlationTypes.filter(type => !type.startsWith('temporal')))}; \`group-by\` contains \`principal\`, because events are partitioned by it; \`timespan\` 1s to 31d; \`aliases\`; \`generate\``,
    samples: [
      correlationRule('type: event_count, condition: {gte: 2}, generate: true'),
      correlationRule('type: value_count, condition: {field: who, gte: 2}, aliases: {who: {t: userAgent}}'),
      correlationRule('type: rate_anomaly', 'trailwarden: {rate-anomaly: {denied: t}}\n'),
    ],
  },
  {
    part: 'correlation `condition`',
    what: `${quoted(operators)}, several as a range; \`field\` may be a list: combinations are counted`,
    samples: [
      ...operators.map(operator => correlationRule(`type: event_count, condition: {${operator}: 5}`)),
      correlationRule('type: event_count, condition: {gte: 2, lt: 9}'),
      correlationRule('type: value_count, condition: {field: [awsRegion, userAgent], gte: 2}'),
    ],
  },
]

const temporal = correlationTypes.filter(type => type.startsWith('temporal'))
const refused: readonly (readonly [what: string, sample: string])[] = [
  ...Object.keys(refusedModifiers).map(word => [`\`${word}\``, detectionRule(`{'eventName|${word}': x}`)] as const),
  ...temporal.map(type => [`\`${type}\``, correlationRule(`type: ${type}`)] as const),
  [
    'a correlation of correlations',
    `${correlationRule('type: event_count, condition: {gte: 2}')}---\n` +
      'title: D\nname: d\ncorrelation: {type: event_count, rules: [c], group-by: [principal], timespan: 10m, condition: {gte: 2}}\n',
  ],
  [
    '`group-by` without `principal`',
    correlationRule('type: event_count, condition: {gte: 2}').replace('principal', 'awsRegion'),
  ],
  ['`filter:` (Sigma filters)', 'title: F\nname: f\nlogsource: {product: aws, service: cloudtrail}\nfilter: {}\n'],
  ['`action:`', 'title: F\nname: f\naction: global\n'],
  ['aggregations in a condition', detectionRule('{eventName: x}', 'a | count() > 5')],
  ['`timeframe`', detectionRule('{eventName: x}', 'a', ', timeframe: 5m')],
  ['another log source', detectionRule('{eventName: x}').replace('aws', 'windows').replace('cloudtrail', 'security')],
  ['fields that no event can carry', detectionRule('{EventID: 1}')],
]

function errorsOf(sample: string): readonly RuleError[] {
  const loaded = loadRules([{ path: 'sample.yml', text: sample }])
  return 'errors' in loaded ? loaded.errors : []
}

/** The tables. @throws Error when a sample does not do what the table says of it */
export function sigmaTables(): string {
  const rows = supported.map(({ part, what, samples }) => {
    for (const sample of samples) {
      const [error] = errorsOf(sample)
      if (error !== undefined) throw new Error(`${part} is called supported: ${error.message}\n${sample}`)
    }
    return `| ${part} | ${what} |`
  })
  const refusals = refused.map(([what, sample]) => {
    const [error] = errorsOf(sample)
    if (error === undefined) throw new Error(`${what} is called refused, and loads:\n${sample}`)
    return `| ${what} | ${sentence(error.message)}. ${sentence(error.hint)}${error.hint.startsWith('Did you mean') ? '?' : '.'} |`
  })
  return [
    '| part | supported |',
    '|---|---|',
    ...rows,
    '',
    '| refused | what the loader says |',
    '|---|---|',
    ...refusals,
  ].join('\n')
}

/** In a table: what the loader puts in quotes as code, a bar escaped. */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replace(/'([^']+)'/g, '`$1`').replaceAll('|', '\\|')
}

/** docs/rules.md with the tables as they should be. */
export function withTables(text: string): string {
  const [before, after] = [text.indexOf(begin), text.indexOf(end)]
  if (before === -1 || after === -1) throw new Error(`docs/rules.md has lost its marks ${begin} and ${end}`)
  return `${text.slice(0, before + begin.length)}\n\n${sigmaTables()}\n\n${text.slice(after)}`
}

if (process.argv[1] === import.meta.filename) {
  const now = readFileSync(path, 'utf8')
  const wanted = withTables(now)
  if (!process.argv.includes('--check')) writeFileSync(path, wanted)
  else if (now !== wanted) {
    console.error('The tables of docs/rules.md are not what the loader says; run node scripts/sigma-doc.ts')
    process.exitCode = 1
  }
}
