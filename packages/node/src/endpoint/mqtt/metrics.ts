import { counter, gauge, type Metrics } from '../../telemetry/metrics.ts'

/** Why a message that was to be delivered to a client was not. */
export type DropReason = 'queue_full' | 'slow_client' | 'too_large' | 'expired' | 'retained_full' | 'offline'

/** What the endpoint counts. */
export function mqttMetrics(metrics: Metrics) {
  return {
    connections: gauge(metrics, 'w3b_mqtt_connections', 'MQTT connections that passed CONNECT', []),
    sessions: gauge(metrics, 'w3b_mqtt_sessions', 'MQTT sessions, with and without a connection', []),
    refusedConnections: counter(metrics, 'w3b_mqtt_connections_refused_total', 'MQTT connections refused', ['reason']),
    received: counter(metrics, 'w3b_mqtt_messages_received_total', 'Messages published to the node, by outcome', [
      'outcome',
    ]),
    delivered: counter(metrics, 'w3b_mqtt_messages_delivered_total', 'Messages sent to subscribers', []),
    dropped: counter(metrics, 'w3b_mqtt_messages_dropped_total', 'Messages not delivered to a subscriber', ['reason']),
    violations: counter(metrics, 'w3b_mqtt_protocol_errors_total', 'Connections closed for breaking the protocol', []),
  }
}

export type MqttMetrics = ReturnType<typeof mqttMetrics>
