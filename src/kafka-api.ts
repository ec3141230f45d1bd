// The public API for those who read trailwarden's topics with TypeScript (`import … from 'trailwarden/kafka'`): a client that
// sees committed records only, and a reader of alerts. Apart from index.ts, because it loads kafkajs with our corrections.
export { kafkaLog } from './kafka/kafka-log.ts'
export type { KafkaLogOptions } from './kafka/kafka-log.ts'
export type { KafkaConnection } from './kafka/connection.ts'
export { schemaRegistry } from './kafka/registry.ts'
export type { RegistrySettings, SchemaRegistryClient } from './kafka/registry.ts'
export { AlertReader } from './log/alert-reader.ts'
export type { BatchControl, ConsumerHandlers, ConsumerOptions, GroupConsumer, LogClient } from './log/log-client.ts'
export type { LogRecord, RecordBatch } from './log/log-client.ts'
export type { Logger } from './logger.ts'
