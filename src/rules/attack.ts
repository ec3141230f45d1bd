// Sigma tags (`attack.credential-access`, `attack.t1555.006`) into ATT&CK references. Pure.
// Source of the table: ATT&CK Enterprise v17 tactics; ATT&CK v18 splits defense-evasion, both spellings are known.
import type { Attack } from '../alerts/alert.ts'

const tactics: Readonly<Record<string, string>> = {
  reconnaissance: 'TA0043',
  'resource-development': 'TA0042',
  'initial-access': 'TA0001',
  execution: 'TA0002',
  persistence: 'TA0003',
  'privilege-escalation': 'TA0004',
  'defense-evasion': 'TA0005',
  stealth: 'TA0005',
  'defense-impairment': 'TA0112',
  'credential-access': 'TA0006',
  discovery: 'TA0007',
  'lateral-movement': 'TA0008',
  collection: 'TA0009',
  'command-and-control': 'TA0011',
  exfiltration: 'TA0010',
  impact: 'TA0040',
}

/** Names of tactics as tags spell them. */
export const tacticNames: readonly string[] = Object.keys(tactics)

/** What one tag is. Tags outside `attack.` and groups or software (`attack.g0016`) name neither tactic nor technique. */
export function readTag(tag: string): { tactic: string } | { technique: string } | { unknownTactic: string } | null {
  const name = tag.toLowerCase().startsWith('attack.') ? tag.slice(7).toLowerCase().replaceAll('_', '-') : null
  if (name === null || /^[gs]\d{4}$/.test(name)) return null
  if (/^t\d{4}(\.\d{3})?$/.test(name)) return { technique: name.toUpperCase() }
  if (/^ta\d{4}$/.test(name)) return { tactic: name.toUpperCase() }
  const tactic = Object.hasOwn(tactics, name) ? tactics[name] : undefined
  return tactic === undefined ? { unknownTactic: name } : { tactic }
}

/**
 * The references of a rule. Sigma does not say which technique serves which tactic: with one tactic every technique gets it,
 * with several the techniques stand alone after the tactics.
 */
export function attackOf(tags: readonly string[]): Attack[] {
  const read = tags.map(readTag).filter(tag => tag !== null)
  const named = [...new Set(read.flatMap(tag => ('tactic' in tag ? [tag.tactic] : [])))]
  const techniques = [...new Set(read.flatMap(tag => ('technique' in tag ? [tag.technique] : [])))]
  const [only = ''] = named
  if (named.length <= 1) {
    if (techniques.length > 0) return techniques.map(technique => ({ tactic: only, technique }))
    return named.map(tactic => ({ tactic, technique: '' }))
  }
  return [
    ...named.map(tactic => ({ tactic, technique: '' })),
    ...techniques.map(technique => ({ tactic: '', technique })),
  ]
}
