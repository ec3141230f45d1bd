// The commands of README and docs, and where each of them is run. A command that no home claims fails
// test/contract/documentation.test.ts: add it to the table, and to the test that the table then names.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..', '..')

/** The pages a user reads. Decisions are for those who work on the project, and quote commands of their time. */
export const pages: readonly string[] = ['README.md', ...globSync('docs/*.md', { cwd: root }).sort()]

/** A line of a code block that a person would type. */
export interface DocCommand {
  readonly page: string
  readonly line: number
  readonly text: string
}

/** Without a comment at its end, and without `npx`, which is about where the program lies. */
function typed(line: string): string {
  return line
    .replace(/\s+#.*$/, '')
    .replace(/^npx /, '')
    .trim()
}

const programs =
  /^(?:npx |\$ )?(?:trailwarden|npm|node(?= (?!v\d))|export|docker|curl|helm|kubectl|promtool|python3?|pip|java|mvn|jq|kafka-[\w-]+(?:\.sh)?|[A-Z_]+=\S+ +\w)/

/** Every command in the code blocks of a page, in order. In a block marked as shell every line is one. */
export function commandsOn(page: string): DocCommand[] {
  const lines = readFileSync(join(root, page), 'utf8').split('\n')
  const found: DocCommand[] = []
  let fence: { readonly kind: string; readonly indent: string } | null = null
  let begun = ''
  for (const [index, line] of lines.entries()) {
    const mark = /^( *)```(\w*)$/.exec(line)
    if (mark !== null) {
      fence = fence === null ? { kind: mark[2] ?? '', indent: mark[1] ?? '' } : null
      continue
    }
    const shell = fence !== null && /^(sh|bash|shell|console)$/.test(fence.kind)
    const code = fence !== null ? shell || fence.kind === '' : /^ {4,}\S/.test(line)
    if (!code) continue
    const text = `${begun}${line.trim()}`
    if (text.endsWith('\\')) {
      begun = text.slice(0, -1)
      continue
    }
    begun = ''
    const isCommand = shell ? text !== '' && !text.startsWith('#') : programs.test(text)
    if (isCommand) found.push({ page, line: index + 1, text: typed(text.replace(/^\$ /, '')) })
  }
  return found
}

/** Mentions of the program in running text: `trailwarden verb …` in backticks. */
export function mentionsOn(page: string): DocCommand[] {
  return readFileSync(join(root, page), 'utf8')
    .split('\n')
    .flatMap((line, index) =>
      Array.from(line.matchAll(/`(?:npx )?(trailwarden [^`]+)`/g), ([, text = '']) => ({
        page,
        line: index + 1,
        text,
      })),
    )
}

/**
 * Where a command is run: offline with the installed package, on a real broker, by another test or script, or by nothing but
 * a person, with the reason.
 */
export type Home =
  | { readonly kind: 'offline'; readonly exit?: number; readonly shows?: RegExp; readonly says?: RegExp }
  | { readonly kind: 'cluster'; readonly until?: 'ready' | 'output'; readonly shows?: RegExp }
  | { readonly kind: 'elsewhere'; readonly by: string }
  | { readonly kind: 'by hand'; readonly why: string }

const elsewhere = (by: string): Home => ({ kind: 'elsewhere', by })

/** Homes by command; the first that matches counts. */
const homes: readonly (readonly [RegExp, Home])[] = [
  // Offline, with the trail of the demo where a page says `trail/` or `path/to/trail/`.
  [/^trailwarden replay path\/to\/trail\/$/, { kind: 'offline', shows: /secretsmanager-multi-region/ }],
  [/^trailwarden replay trail\/$/, { kind: 'offline', shows: /secretsmanager-multi-region/ }],
  [/^trailwarden replay --json \S+ \| jq \.explanation$/, { kind: 'offline', shows: /^"The role ci-deployer/m }],
  [/^trailwarden replay --report report\.html \S+$/, { kind: 'offline', says: /alerts/ }],
  [/^trailwarden replay --set .*trail\/$/, { kind: 'offline', says: /alerts/ }],
  [
    /^trailwarden replay --rules new-rules\/ --compare old-rules\/ --fail-on-alert trail\/$/,
    { kind: 'offline', exit: 1 },
  ],
  [
    /^trailwarden replay --rules new-rules\/ --compare old-rules\/ trail\/$/,
    { kind: 'offline', shows: /multi-region/ },
  ],
  [/^trailwarden normalize --json \S+ \| head$/, { kind: 'offline', shows: /"eventSource":"\w/ }],
  [/^trailwarden test my-rules\/$/, { kind: 'offline', shows: /3 of 3 tests passed/ }],
  [/^trailwarden check$/, { kind: 'offline', shows: /All good\./ }],
  [/^trailwarden demo --write demo\.jsonl$/, { kind: 'offline' }],

  // On a broker, in the order of the page.
  [/^export KAFKA_BROKERS=\S+ SCHEMA_REGISTRY_URL=\S+$/, { kind: 'cluster' }],
  [/^trailwarden topics apply( --dry-run)?$/, { kind: 'cluster' }],
  [/^trailwarden check --cluster$/, { kind: 'cluster', shows: /All good\./ }],
  [/^trailwarden normalize --raw-topic cloudtrail\.raw$/, { kind: 'cluster', until: 'ready' }],
  [/^trailwarden detect$/, { kind: 'cluster', until: 'ready' }],
  [/^trailwarden normalize demo\.jsonl$/, { kind: 'cluster' }],
  [/^trailwarden tail --since 1h$/, { kind: 'cluster', until: 'output', shows: /"ruleId":"secretsmanager-/ }],
  [/^trailwarden explain --principal \S+\/AROADEMOATTACKER00001$/, { kind: 'cluster', shows: /It fired: 1 episode/ }],
  [
    /^trailwarden explain --principal \S+ --rule \S+$/,
    { kind: 'cluster', shows: /It did not fire|never|nothing for this/ },
  ],
  [
    /^trailwarden explain secretsmanager-multi-region:\S+$/,
    { kind: 'cluster', shows: /^alerts .*CREATE[^]*It fired/m },
  ],

  // Run by other tests.
  [
    /^trailwarden (topics apply|normalize|detect) --(config second\.yaml|state-topic cloudtrail\.detector-state\.c)/,
    elsewhere('test/integration/operations.test.ts'),
  ],
  [/^find trail\/ .*\| xargs trailwarden normalize$/, elsewhere('test/integration/operations.test.ts')],
  [/^acl(\(\) \{ kafka-acls\.sh| --operation) /, elsewhere('test/integration/security.test.ts')],
  [/^npm run demo$/, elsewhere('test/unit/commands/demo.test.ts')],
  [/^npm test$/, elsewhere('scripts/test.mjs')],
  [/^npm run chaos\b/, elsewhere('test/integration/chaos.test.ts')],
  [/^docker (build -t trailwarden \.|run --rm --read-only .* trailwarden demo)$/, elsewhere('scripts/check-image.mjs')],
  [/^helm install line deploy\/helm\/trailwarden /, elsewhere('scripts/check-helm.mjs')],
  [
    /debootstrap|> base\/Dockerfile$|^docker build -t local\/node:24 base$/,
    { kind: 'by hand', why: 'needs root and a mirror' },
  ],
]

/** The home of a command, or null: then nothing runs it. */
export function homeOf(text: string): Home | null {
  return homes.find(([pattern]) => pattern.test(text))?.[1] ?? null
}

/** Homes that no page needs any more. */
export function idleHomes(texts: readonly string[]): string[] {
  return homes.filter(([pattern]) => !texts.some(text => pattern.test(text))).map(([pattern]) => String(pattern))
}
