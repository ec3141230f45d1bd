// `trailwarden detect`: events topic → alerts topic, until stopped. Add processes of the same group to share partitions.
import { kafkaLog } from '../kafka/kafka-log.ts'
import { schemaRegistry } from '../kafka/registry.ts'
import { createMetrics, requestObserver, startRulesAtZero } from '../metrics/metrics.ts'
import { observedRegistry } from '../metrics/observed-registry.ts'
import { startDetector } from '../pipeline/detector.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { Command } from './command.ts'
import { detectorOptions } from './detector-parts.ts'
import { detectionFrom } from './rule-set.ts'
import { namingMissingRights } from './rights.ts'
import { onCluster, runService } from './service.ts'
import { connectionFrom, kafkaOptionsFrom, registryFrom } from './settings.ts'

export const detect: Command = {
  name: 'detect',
  usage: '',
  summary: 'Run the rules over the events topic and write alerts, until stopped.',
  details:
    'State, alerts, dead letters and the input position of a partition commit in one Kafka transaction. One process owns a\n' +
    'partition at a time; start more processes of the same group to share the partitions.',
  examples: ['trailwarden detect', 'trailwarden detect --rules rules/ --kafka-brokers kafka:9092'],
  options: {},
  settings: [
    'KAFKA_BROKERS',
    'SCHEMA_REGISTRY_URL',
    'EVENTS_TOPIC',
    'ALERTS_TOPIC',
    'STATE_TOPIC',
    'REJECTED_TOPIC',
    'DETECT_GROUP',
    'KAFKA_GROUP_INSTANCE_ID',
    'RULES',
    'SUPPRESSIONS',
    'ALERT_FORMAT',
    'BATCH_MAX_RECORDS',
    'SESSION_TIMEOUT_MS',
    'HTTP_HOST',
    'HTTP_PORT',
  ],
  async run(context) {
    const { config, log: logger } = context
    const detection = await detectionFrom(config)
    for (const { id, expires, origin } of detection.expired)
      logger.warn(
        { suppression: id, expired: rfc3339(expires).slice(0, 10), origin },
        'A suppression has expired; alerts it held back are produced.',
      )
    const metrics = createMetrics('detect', context.version)
    startRulesAtZero(metrics, detection.rules.rules)
    return runService(context, metrics, 9465, async () => {
      const schemas = observedRegistry(schemaRegistry(registryFrom(config)), metrics)
      const observer = requestObserver(metrics)
      const log = await kafkaLog(connectionFrom(config), logger, { ...kafkaOptionsFrom(config), observer })
      try {
        const loop = await startDetector(await detectorOptions(config, detection, log, schemas, metrics, logger))
        const { EVENTS_TOPIC: topic, DETECT_GROUP: group } = config
        return onCluster(loop, { log, topic, group, metrics, logger })
      } catch (error) {
        await log.close()
        throw error
      }
    }).catch(namingMissingRights(context, 'detect'))
  },
}
