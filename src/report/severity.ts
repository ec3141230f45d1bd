// A severity as the page writes it: sign and word, never colour alone. Pure.
import type { Level } from '../alerts/alert.ts'
import { severitySign } from './figure.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'

/** Sign and word. */
export function severityName(level: Level): Markup {
  return html`<span class="severity"
    ><svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">${severitySign(level, 8, 8)}</svg>${level}</span
  >`
}
