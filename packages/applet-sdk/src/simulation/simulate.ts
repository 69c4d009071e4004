import { createHash } from 'node:crypto'
import { type AppletEngine, type AppletLimits, type AppletOutcome, defaultAppletLimits } from '../engine-contract.ts'
import type { DatabaseSchema, OpenDatabase } from './database.ts'
import { type Effects, type EventOrigin, SimulatedHost, type SimulatedHostOptions } from './simulated-host.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

export interface SimulationOptions extends Omit<SimulatedHostOptions, 'database'> {
  /** Tables of the project. @default none: SQL is refused as in a project without a database */
  readonly database?: DatabaseSchema
  /** Makes the database. @default SQLite in memory */
  readonly openDatabase?: OpenDatabase
  /** The clock, milliseconds since 1970; each event is a second later. @default 2026-01-01T00:00:00Z */
  readonly startMs?: number
  readonly limits?: Partial<AppletLimits>
}

export interface SimulatedEvent {
  readonly handler: string
  /** Text goes as UTF-8. @default nothing */
  readonly payload?: Uint8Array | string
  /** For REDUCE operators of flows: what was accumulated so far, null for the first element. */
  readonly accumulator?: string | null
  /** The topic, when the event comes by MQTT. */
  readonly topic?: string
  /** Key of the device that sent it; empty for an event that no device sent, such as an answer. @default 'device' */
  readonly device?: string
  /** Whether the device signed it. @default false */
  readonly signed?: boolean
}

export interface SimulatedResult extends Effects {
  readonly outcome: AppletOutcome
}

/** An applet with its own simulated node. Events run one after the other. */
export interface Simulation {
  readonly host: SimulatedHost
  readonly handlers: readonly string[]
  send(event: SimulatedEvent): Promise<SimulatedResult>
}

const START_MS = Date.UTC(2026, 0, 1)
const SECOND_NS = 1_000_000_000n

/** Loads an applet into a simulated node. @throws what the engine throws for a module that it refuses */
export async function simulate(
  wasm: Uint8Array,
  engine: AppletEngine,
  options: SimulationOptions = {},
): Promise<Simulation> {
  const { database: schema, openDatabase = openSqliteDatabase, startMs = START_MS, limits, ...hostOptions } = options
  const database = schema === undefined ? undefined : await openDatabase(schema, engine)
  const module = engine.load(wasm)
  const host = new SimulatedHost({ ...hostOptions, database }, engine)
  let events = 0n
  const send = async (event: SimulatedEvent): Promise<SimulatedResult> => {
    const payload = typeof event.payload === 'string' ? Buffer.from(event.payload) : (event.payload ?? new Uint8Array())
    const number = events++
    host.begin(originOf(event, payload))
    const outcome = await module.call({
      handler: event.handler,
      wantsData: true,
      ...(event.accumulator !== undefined && {
        accumulator: event.accumulator === null ? null : Buffer.from(event.accumulator),
      }),
      payload,
      host,
      clockNs: BigInt(startMs) * 1_000_000n + number * SECOND_NS,
      seed: createHash('sha256').update(`event ${number}`).digest(),
      limits: { ...defaultAppletLimits, ...limits },
    })
    if (outcome.type === 'returned') host.commit()
    else host.rollback()
    return { outcome, ...host.effects }
  }
  return { host, handlers: module.handlers, send }
}

function originOf({ topic, device = 'device', signed = false }: SimulatedEvent, payload: Uint8Array): EventOrigin {
  return {
    ...(topic === undefined ? {} : { message: { topic, payload } }),
    ...(device === '' ? {} : { publisher: { key: device, signed } }),
  }
}
