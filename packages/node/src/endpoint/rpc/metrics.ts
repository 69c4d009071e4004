import type { Counter, Gauge } from 'prom-client'
import { counter, gauge, type Metrics } from '../../telemetry/metrics.ts'

export interface RpcMetrics {
  /** Calls by method (`other` for unknown ones) and outcome. */
  readonly calls: Counter<'method' | 'outcome'>
  readonly connections: Gauge<never>
  /** Connections that were cut, by reason. */
  readonly cut: Counter<'reason'>
}

export function createRpcMetrics(metrics: Metrics): RpcMetrics {
  return {
    calls: counter(metrics, 'w3bstream_rpc_calls_total', 'JSON-RPC calls', ['method', 'outcome']),
    connections: gauge(metrics, 'w3bstream_rpc_connections', 'Open JSON-RPC WebSocket connections', []),
    cut: counter(metrics, 'w3bstream_rpc_connections_cut_total', 'JSON-RPC connections closed by the node', ['reason']),
  }
}
