import type { SqlRequest } from '../../database/database.ts'
import { HostFault, type MaybePromise, type Transaction } from '../../engine/engine.ts'
import { Fields, type FlowResult, SinkRefusal } from './fields.ts'
import { type Sink, topicOf } from './sink.ts'
import { transactionOf } from './sink-chain.ts'
import { insertOf } from './sink-sql.ts'

/** What sinks do; part of the batch, as what handlers do. */
export interface SinkHost {
  sqlExecute(request: SqlRequest): MaybePromise<unknown>
  publishMqtt(topic: string, payload: Uint8Array): void
  sendTransaction(transaction: Transaction): MaybePromise<unknown>
  /** A new event of the project, once the batch is on disk. */
  emitEvent(eventType: string, payload: Uint8Array): void
}

/** Gives a result to its sink. @returns why the sink does not take it, if so */
export async function emit(sink: Sink, result: FlowResult, host: SinkHost): Promise<string | undefined> {
  try {
    await deliver(sink, result, host)
    return undefined
  } catch (error) {
    if (error instanceof SinkRefusal || error instanceof HostFault) return error.message
    throw error
  }
}

async function deliver(sink: Sink, result: FlowResult, host: SinkHost): Promise<void> {
  switch (sink.type) {
    case 'none':
      return
    case 'sql':
      await host.sqlExecute(insertOf(sink, new Fields(result)))
      return
    case 'mqtt':
      host.publishMqtt(topicOf(sink.topic, new Fields(result)), result.payload)
      return
    case 'event':
      host.emitEvent(sink.eventType, result.payload)
      return
    case 'chain':
      await host.sendTransaction(transactionOf(sink, new Fields(result)))
  }
}
