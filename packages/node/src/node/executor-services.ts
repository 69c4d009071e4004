import type { Chains } from '../chain/chain.ts'
import type { ExecutorServices } from '../event/executor/executor.ts'

/** What executing threads may ask of the chains. */
export function executorServices(chains: Chains): ExecutorServices {
  return {
    sign: ({ project, accountId, transaction }) => chains.sign({ project, accountId, ...transaction }),
    release: (transaction) => chains.release(transaction),
    call: (request) => chains.call(request),
  }
}
