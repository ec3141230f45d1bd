// Alert fields: what a suppression may select alerts by. Pure.
// Lists are read one value at a time (see Scope): a suppression must hold for every value, not for one of them.
import { didYouMean } from '../rules/problems.ts'
import { readCost } from '../rules/field.ts'
import type { FieldResolver, Scalar } from '../rules/field.ts'
import type { Alert, AlertTotals } from './alert.ts'

/** Most combinations of list values that are tried for one alert; beyond it the alert is not suppressed. */
const maxCombinations = 4096

/** The lists of an alert that a suppression can name. */
export const listFields = [
  'regions',
  'accounts',
  'sourceIPs',
  'userAgents',
  'accessKeys',
  'sessionNames',
  'secrets',
] as const satisfies readonly (keyof AlertTotals & keyof Alert)[]
export type ListField = (typeof listFields)[number]

/** An alert seen through one value of each list; null where the list is empty. */
export interface Scope {
  readonly alert: Alert
  readonly chosen: Readonly<Partial<Record<ListField, string | null>>>
}

const scalarFields: Readonly<Record<string, (alert: Alert) => Scalar>> = {
  'principal.key': alert => alert.principal.key,
  'principal.kind': alert => alert.principal.kind,
  'principal.name': alert => alert.principal.name,
  severity: alert => alert.severity,
  count: alert => alert.count,
}

const names: readonly string[] = [...Object.keys(scalarFields), ...listFields, 'group.<field>']

/** A resolver for the selection compiler that notes in `used` which lists a selection reads. */
export function alertFields(used: Set<ListField>): FieldResolver<Scope> {
  return name => {
    const scalar = Object.hasOwn(scalarFields, name) ? scalarFields[name] : undefined
    if (scalar !== undefined) return { name, cost: readCost.member, read: scope => scalar(scope.alert) }
    const list = listFields.find(field => field === name)
    if (list !== undefined) {
      used.add(list)
      return { name, cost: readCost.member, read: scope => scope.chosen[list] }
    }
    if (name.startsWith('group.')) {
      const field = name.slice('group.'.length)
      return {
        name,
        cost: readCost.computed,
        read: scope => scope.alert.group.find(entry => entry.field === field)?.value,
      }
    }
    if (name === '') return { problem: 'keywords search the whole alert', hint: "Write 'field: value'" }
    return { problem: `an alert has no field '${name}' to select by`, hint: didYouMean(name, names) }
  }
}

/**
 * Whether the selection holds for every value of the lists it reads, in every combination. One matching value is not
 * enough: a thief who adds one call from a known address would be silenced. Where the alert's lists are capped and hide
 * values, it does not hold.
 */
export function holdsThroughout(alert: Alert, fields: readonly ListField[], test: (scope: Scope) => boolean): boolean {
  let scopes: Scope['chosen'][] = [{}]
  for (const field of fields) {
    const values = alert[field]
    if (alert.totals[field] > values.length) return false
    const choices = values.length === 0 ? [null] : values
    if (scopes.length * choices.length > maxCombinations) return false
    scopes = scopes.flatMap(chosen => choices.map(value => ({ ...chosen, [field]: value })))
  }
  return scopes.every(chosen => test({ alert, chosen }))
}
