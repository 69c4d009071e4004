import type { ProjectKey } from '@w3bstream/protocol'
import type { Door, Service } from '../endpoint/endpoint.ts'
import { attachMqttBroker, type MqttAttachment } from '../endpoint/mqtt/attach.ts'
import { createMqttEndpoint, type MqttEndpoint } from '../endpoint/mqtt/mqtt-endpoint.ts'
import type { MqttListener, MqttOptions } from '../endpoint/mqtt/options.ts'
import type { Projects } from '../project/project.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { NodeOptions } from './options.ts'
import { version } from './version.ts'

export interface MqttServices {
  /** The node's own endpoint, the attachment to somebody else's broker, both or none. */
  readonly services: readonly Service[]
  /** Hands a project's message to whoever reads it. */
  publish(project: ProjectKey, topic: string, payload: Uint8Array): Promise<void>
  addresses(): { mqtt?: string; mqttWs?: string }
  /** How the endpoint and the attachment stand; nothing of what is not wanted. */
  health(): Record<string, string>
}

/** MQTT as the node's options want it. */
export function createMqttServices(
  options: NodeOptions,
  deps: { door: Door; projects: Projects; logger: Logger; metrics: Metrics },
): MqttServices {
  const endpoint = createEndpoint(options, deps)
  const attachment = options.mqttBroker === undefined ? undefined : attach(options.mqttBroker, deps)
  return {
    services: [endpoint, attachment].filter((service) => service !== undefined),
    async publish(project, topic, payload) {
      await Promise.all([endpoint?.publish(topic, payload, { project }), attachment?.publish(topic, payload)])
    },
    addresses() {
      const open = endpoint?.addresses() ?? []
      const url = (kinds: readonly string[], scheme: string) => {
        const found = open.find(({ kind }) => kinds.includes(kind))
        return found && `${scheme}${found.kind.endsWith('Tls') ? 's' : ''}://${found.host}:${found.port}`
      }
      return { mqtt: url(['tcp', 'tcpTls'], 'mqtt'), mqttWs: url(['ws', 'wsTls'], 'ws') }
    },
    health: () => ({
      ...(endpoint && { mqtt: endpoint.addresses().length > 0 ? 'ok' : 'not listening' }),
      ...(attachment && { 'mqtt-broker': attachment.connected ? 'ok' : 'not connected; being tried' }),
    }),
  }
}

function createEndpoint(
  options: NodeOptions,
  deps: { door: Door; projects: Projects; logger: Logger; metrics: Metrics },
): MqttEndpoint | undefined {
  const { mqttPort, mqttWsPort, deviceHost: host, tls, dataDir, limits } = options
  if (mqttPort === 'off' && mqttWsPort === 'off') return undefined
  const tcp: MqttListener | undefined = mqttPort === 'off' ? undefined : { port: mqttPort, host }
  const ws: MqttListener | undefined = mqttWsPort === 'off' ? undefined : { port: mqttWsPort, host }
  const listeners: MqttOptions = tls ? { tcpTls: tcp, wsTls: ws, tls } : { tcp, ws }
  const bounds = { connections: limits.mqttConnections, packetBytes: limits.payloadBytes + 65_536 }
  return createMqttEndpoint(
    { ...listeners, dataDir, source: `srv-applet-mgr@v${version}`, limits: bounds },
    {
      ...deps,
      resolveProject(account, channel) {
        const entry = deps.projects.byName(channel)
        return entry && entry.accountId === account.accountId ? entry.key : undefined
      },
    },
  )
}

function attach(
  url: string,
  deps: { door: Door; projects: Projects; logger: Logger; metrics: Metrics },
): MqttAttachment {
  const { username, password } = new URL(url)
  return attachMqttBroker(
    {
      url,
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
      source: `srv-applet-mgr@v${version}`,
    },
    {
      ...deps,
      channels: {
        list: () => deps.projects.list({}).map((entry) => entry.name),
        watch: (listener) => deps.projects.observeRegistry((entry, exists) => listener(entry.name, exists)),
      },
    },
  )
}
