// Loaded with --import by bench/failover.ts: the process shares partitions out as kafkajs does by default, for comparison.
import { registerHooks } from 'node:module'

registerHooks({
  load(url, context, next) {
    const found = /\/kafka\/assignor\.([jt]s)$/.exec(url)
    if (!found) return next(url, context)
    // A name of its own: the product offers kafkajs' assignor besides, and a name may stand in a join once only.
    const source = `
      import { kafkajs } from './kafkajs.${found[1]}'
      export const stickyAssignor = config => {
        const assigner = { ...kafkajs.PartitionAssigners.roundRobin(config), name: 'bench-round-robin' }
        return assigner
      }`
    return { format: 'module', source, shortCircuit: true }
  },
})
