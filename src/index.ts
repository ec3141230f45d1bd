// The public API: the pure parts, for those who embed them. Named re-exports only; everything else is internal.
export type {
  Alert,
  AlertTotals,
  Anomaly,
  Attack,
  DistinctValue,
  Evidence,
  InputPosition,
  Level,
} from './alerts/alert.ts'
export { severityIdOf } from './alerts/alert.ts'
export { alertToJson } from './alerts/json.ts'
export { toOcsf } from './alerts/ocsf.ts'
export { canRead } from './codecs/confluent.ts'
export { Engine } from './detect/engine.ts'
export type { EngineOptions } from './detect/engine.ts'
export { EngineTransaction } from './detect/engine-transaction.ts'
export type { EngineCounts } from './detect/engine-transaction.ts'
export { TrailwardenError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
export type { CloudTrailEvent, Outcome, Principal, PrincipalKind, SourceKind, UserIdentity } from './normalize/event.ts'
export { eventToJson } from './normalize/json.ts'
export { principalOf } from './normalize/principal.ts'
export { normalizeBytes } from './normalize/raw-value.ts'
export type { NormalizeOptions, NormalizeSink } from './normalize/raw-value.ts'
export { rejectReasons, skipKinds } from './rejected.ts'
export type { Rejected, RejectReason, SkipKind } from './rejected.ts'
export { loadRules } from './rules/load.ts'
export type { LoadedRules, RuleFile } from './rules/load.ts'
export type { RuleError } from './rules/problems.ts'
export { formatRuleError } from './rules/problems.ts'
export type { Rule, RuleSet } from './rules/rule.ts'
export { defaultEnvelopeLimits } from './sources/envelope.ts'
export type { EnvelopeLimits } from './sources/envelope.ts'
export type { LogClient, LogRecord, OutRecord, RecordBatch } from './log/log-client.ts'
export { topicContract, topicContracts } from './topics.ts'
export type { TopicContract, TopicSetting } from './topics.ts'
