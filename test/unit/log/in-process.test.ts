// The in-process log against the contract that it shares with Kafka, and against what only it can be made to do:
// compaction on demand, death at a chosen step, sessions and transactions that expire on call.
import { inProcessLog } from '../../../src/log/in-process.ts'
import { logConformance } from '../../harness/log-conformance.ts'

for (const maxBatchRecords of [1, 500])
  logConformance(`in process, at most ${maxBatchRecords} records per batch`, async () => {
    const log = inProcessLog({ now: Date.now, maxBatchRecords })
    let topics = 0
    return {
      settleMs: 20,
      client: async () => log.client(),
      createTopic: async options => {
        const topic = `topic-${topics++}`
        log.createTopic(topic, options)
        return topic
      },
      deleteRecordsBefore: async (topic, partition, offset) => log.deleteRecordsBefore(topic, partition, offset),
    }
  })
