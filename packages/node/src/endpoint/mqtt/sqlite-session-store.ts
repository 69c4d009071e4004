import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { ProjectKey } from '@w3bstream/protocol'
import type { Properties } from './codec/properties.ts'
import type { Qos } from './codec/publish.ts'
import { MqttError } from './errors.ts'
import type { Message } from './message.ts'
import type { SessionStore, StoredMessage, StoredSession, StoredSessionState } from './session-store.ts'

const version = 1

const schema = `
  CREATE TABLE session (key TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE message (
    session TEXT NOT NULL, sequence INTEGER NOT NULL, packet_id INTEGER NOT NULL, released INTEGER NOT NULL,
    qos INTEGER NOT NULL, retain INTEGER NOT NULL, head TEXT NOT NULL, payload BLOB NOT NULL,
    PRIMARY KEY (session, sequence)
  ) WITHOUT ROWID;
  CREATE TABLE retained (
    project TEXT NOT NULL, topic TEXT NOT NULL, head TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (project, topic)
  ) WITHOUT ROWID;
  PRAGMA user_version = ${version};`

/** What a message has besides its payload, as JSON; binary properties as base64. */
interface Head {
  readonly message: Omit<Message, 'payload' | 'origin' | 'properties'>
  readonly properties?: Omit<Properties, 'correlationData'> & { correlationData?: string }
  readonly subscriptionIds?: number[]
}

/**
 * Sessions in `<dataDir>/mqtt.db`. Writes are gathered in one transaction per turn of the event loop. A write that
 * fails (disk full) undoes its transaction and is told by `flush()`; the sessions in memory go on.
 * @throws MqttError MQTT_STORE
 */
export function openSqliteSessionStore(dataDir: string): SessionStore {
  mkdirSync(dataDir, { recursive: true })
  return new SqliteSessionStore(join(dataDir, 'mqtt.db'))
}

class SqliteSessionStore implements SessionStore {
  readonly #db: DatabaseSync
  readonly #statements: Record<
    'putSession' | 'putMessage' | 'putRetained' | 'dropMessage' | 'dropRetained',
    StatementSync
  >
  readonly #dropSession: readonly StatementSync[]
  #flushing: Promise<void> | undefined
  #failure: unknown

  constructor(file: string) {
    try {
      this.#db = new DatabaseSync(file)
      // Queued messages are devices' data; the files beside it take its mode.
      if (file !== ':memory:') chmodSync(file, 0o600)
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
      migrate(this.#db)
    } catch (cause) {
      if (cause instanceof MqttError) throw cause
      throw new MqttError({ code: 'MQTT_STORE', detail: `${file}: ${(cause as Error).message}` }, { cause })
    }
    const prepare = (sql: string) => this.#db.prepare(sql)
    this.#statements = {
      putSession: prepare('INSERT OR REPLACE INTO session VALUES (?, ?)'),
      putMessage: prepare('INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
      putRetained: prepare('INSERT OR REPLACE INTO retained VALUES (?, ?, ?, ?)'),
      dropMessage: prepare('DELETE FROM message WHERE session = ? AND sequence = ?'),
      dropRetained: prepare('DELETE FROM retained WHERE project = ? AND topic = ?'),
    }
    this.#dropSession = [prepare('DELETE FROM session WHERE key = ?'), prepare('DELETE FROM message WHERE session = ?')]
  }

  *loadSessions(): Iterable<StoredSession> {
    const messages = this.#db.prepare('SELECT * FROM message WHERE session = ? ORDER BY sequence')
    for (const row of this.#db.prepare('SELECT state FROM session').all()) {
      const state = JSON.parse(row.state as string) as StoredSessionState
      yield { ...state, messages: messages.all(state.key).map(toStoredMessage) }
    }
  }

  *loadRetained(): Iterable<Message> {
    for (const row of this.#db.prepare('SELECT head, payload FROM retained').all())
      yield toMessage(JSON.parse(row.head as string) as Head, row.payload as Uint8Array)
  }

  putSession(session: StoredSessionState): void {
    this.#write(this.#statements.putSession, session.key, JSON.stringify(session))
  }

  deleteSession(key: string): void {
    for (const statement of this.#dropSession) this.#write(statement, key)
  }

  putMessage(
    key: string,
    { sequence, packetId, released, qos, retain, subscriptionIds, message }: StoredMessage,
  ): void {
    const head = JSON.stringify(toHead(message, subscriptionIds))
    this.#write(this.#statements.putMessage, key, sequence, packetId, +released, qos, +retain, head, message.payload)
  }

  deleteMessage(key: string, sequence: number): void {
    this.#write(this.#statements.dropMessage, key, sequence)
  }

  putRetained(message: Message): void {
    this.#write(
      this.#statements.putRetained,
      message.project,
      message.topic,
      JSON.stringify(toHead(message)),
      message.payload,
    )
  }

  deleteRetained(project: ProjectKey, topic: string): void {
    this.#write(this.#statements.dropRetained, project, topic)
  }

  flush(): Promise<void> {
    return this.#flushing ?? Promise.resolve()
  }

  async close(): Promise<void> {
    await this.#flushing
    if (this.#db.isOpen) this.#db.close()
  }

  #write(statement: StatementSync, ...values: SQLInputValue[]): void {
    this.#begin()
    if (this.#failure !== undefined) return
    try {
      statement.run(...values)
    } catch (error) {
      this.#failure = error
    }
  }

  #begin(): void {
    if (this.#flushing !== undefined) return
    try {
      this.#db.exec('BEGIN')
    } catch (error) {
      this.#failure = error
    }
    this.#flushing = new Promise((resolve, reject) => {
      setImmediate(() => {
        const failure = this.#end()
        if (failure === undefined) resolve()
        else reject(failure)
      })
    })
    // Whoever waits sees the failure; nobody has to.
    this.#flushing.catch(() => {})
  }

  #end(): unknown {
    let failure = this.#failure
    this.#flushing = undefined
    this.#failure = undefined
    try {
      if (failure === undefined) this.#db.exec('COMMIT')
    } catch (error) {
      failure = error
    }
    // Some errors have undone the transaction already.
    if (failure !== undefined && this.#db.isTransaction) this.#db.exec('ROLLBACK')
    return failure
  }
}

function migrate(db: DatabaseSync): void {
  const found = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  if (found > version) throw new MqttError({ code: 'MQTT_STORE', detail: `version ${found}, known ${version}` })
  if (found === 0) db.exec(`BEGIN; ${schema} COMMIT`)
}

function toHead({ payload: _, origin: __, properties, ...message }: Message, subscriptionIds?: number[]): Head {
  const correlationData = properties?.correlationData && Buffer.from(properties.correlationData).toString('base64')
  return { message, properties: properties && { ...properties, correlationData }, subscriptionIds }
}

function toMessage({ message, properties }: Head, payload: Uint8Array): Message {
  const { correlationData, ...rest } = properties ?? {}
  if (!properties) return { ...message, payload }
  const binary = correlationData === undefined ? {} : { correlationData: Buffer.from(correlationData, 'base64') }
  return { ...message, payload, properties: { ...rest, ...binary } }
}

function toStoredMessage(row: Record<string, unknown>): StoredMessage {
  const head = JSON.parse(row.head as string) as Head
  return {
    sequence: Number(row.sequence),
    packetId: Number(row.packet_id),
    released: row.released === 1,
    qos: row.qos as Qos,
    retain: row.retain === 1,
    subscriptionIds: head.subscriptionIds,
    message: toMessage(head, row.payload as Uint8Array),
  }
}
