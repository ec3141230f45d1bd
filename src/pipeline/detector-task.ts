// One input partition of the detector: its fenced producer, its state, its position, and one transaction at a time.
// State changes, alerts, dead letters and the input position move together or not at all. After any failure the task is
// thrown away with its state and opened again from the log: keeping state over a failure gave duplicates (measured).
import type { Decoder, Encoder } from '../codecs/confluent.ts'
import type { Alert } from '../alerts/alert.ts'
import { alertHeaders } from '../alerts/headers.ts'
import { alertToJson } from '../alerts/json.ts'
import { Engine } from '../detect/engine.ts'
import type { EngineOptions, PrincipalStateRecord } from '../detect/engine.ts'
import type { Logger } from '../commands/command.ts'
import type { LogClient, LogRecord, OutRecord, TopicRecords, TransactionalProducer } from '../log/log-client.ts'
import type { SchemaSource } from '../log/schema-source.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { Rejected } from '../rejected.ts'
import type { RuleSet } from '../rules/rule.ts'
import { deadLetter } from './dead-letter.ts'
