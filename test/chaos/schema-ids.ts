// Registers what poison pretends to be: schemas that exist and that no event can be read from.
import { registryFrom } from '../../src/commands/settings.ts'
import { loadConfig } from '../../src/config.ts'
import { schemaRegistry } from '../../src/kafka/registry.ts'
import { topicContract } from '../../src/topics.ts'
import type { Line } from '../harness/line.ts'
import type { PoisonParts } from './poison.ts'

/** Ids under which the registry of a line knows the schemas, and one that it does not know. */
export interface SchemaIds extends Pick<PoisonParts, 'strayId' | 'foreignIds'> {
  readonly event: number
}

/** Registers the schemas beside those of `topics apply`. */
export async function schemaIds({ env, topics }: Line): Promise<SchemaIds> {
  const registry = schemaRegistry(registryFrom(loadConfig({ flags: {}, env })))
  const event = topicContract('EVENTS_TOPIC').schema! as { readonly fields: readonly { readonly name: string }[] }
  const register = (name: string, fields: readonly object[]) =>
    registry.register(`${topics.events}-${name}`, { ...event, fields }, 'NONE')
  const without = event.fields.filter(({ name }) => name !== 'eventTime' && name !== 'eventName')
  const textTime = event.fields.map(field => (field.name === 'eventTime' ? { ...field, type: 'string' } : field))
  return {
    event: await registry.idOf(`${topics.events}-value`, event),
    strayId: 0x7ffffffe,
    foreignIds: {
      alert: await registry.idOf(`${topics.alerts}-value`, topicContract('ALERTS_TOPIC').schema!),
      withoutTimeAndName: await register('without-time-and-name', without),
      textTime: await register('text-time', textTime),
    },
  }
}
