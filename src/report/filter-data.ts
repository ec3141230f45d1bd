// What the filters of the page look at: attributes that signs, rows and cards of an alert have in common.
// Pure. script.ts reads them; nothing else does.
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { severityIdOf } from '../alerts/alert.ts'
import type { Episode } from './backtest.ts'

/** The attributes of one episode. */
export function filterData({ ruleId, severity, principal, suppressed }: Episode): Markup {
  const who = `${principal.name} ${principal.key}`.toLowerCase()
  return html`data-rule="${ruleId}" data-severity="${severityIdOf(severity)}" data-principal="${who}"
  data-suppressed="${suppressed === null ? 'no' : 'yes'}"`
}
