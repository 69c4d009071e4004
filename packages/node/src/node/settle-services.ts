import type { Chains } from '../chain/chain.ts'
import type { EventManager } from '../event/event-manager.ts'
import { ProjectMetrics } from '../event/settle/project-metrics.ts'
import { Settle, type SettleDeps } from '../event/settle/settle.ts'
import { WebRequests } from '../event/settle/web-request.ts'
import type { Outbound } from '../outbound/outbound.ts'
import type { Projects } from '../project/project.ts'
import { createWebSocketProver } from '../proving/websocket/websocket-prover.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { NodeOptions } from './options.ts'
import { version } from './version.ts'

interface SettleServicesDeps extends Pick<SettleDeps, 'dispatch' | 'publishMqtt' | 'submit' | 'onSettled' | 'now'> {
  readonly chains: Chains
  readonly projects: Projects
  readonly manager: Pick<EventManager, 'updateOutbox'>
  readonly metrics: Metrics
  readonly logger: Logger
}

/** Builds what carries effects out: with the prover and the HTTP client that the options describe. */
export function createSettle(
  { zkProver, outboundPrivate }: Pick<NodeOptions, 'zkProver' | 'outboundPrivate'>,
  { projects, manager, metrics, logger, ...deps }: SettleServicesDeps,
): Settle {
  return new Settle({
    ...deps,
    prover: zkProver === undefined ? undefined : createWebSocketProver({ url: zkProver }),
    web: new WebRequests(outbound(outboundPrivate), metrics),
    outboundHosts: async (key) => (await projects.definition(key)).settings.outboundHosts,
    reader: (key) => projects.reader(key),
    updateOutbox: (key, changes) => manager.updateOutbox(key, changes),
    metrics: new ProjectMetrics(metrics),
    ownerOf(key) {
      const entry = projects.byKey(key)
      return entry && { account: entry.accountId, project: entry.name }
    },
    logger: logger.child('settle'),
  })
}

/** The client with its library is loaded for the first request: few nodes make any. */
function outbound(privateNetworks: readonly string[]): Outbound {
  let client: Promise<Outbound> | undefined
  const load = async () => {
    const { HttpClient } = await import('../outbound/http-client.ts')
    return new HttpClient({ privateNetworks }, { userAgent: `w3bstream/${version}` })
  }
  return {
    async send(request, signal) {
      client ??= load()
      return (await client).send(request, signal)
    },
  }
}
