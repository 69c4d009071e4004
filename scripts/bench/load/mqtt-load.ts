import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { payload, stationAt } from '../payload.ts'

const run = promisify(execFile)

export interface MqttLoad {
  readonly port: number
  readonly connections: number
  /** Unacknowledged messages per connection. */
  readonly window: number
  readonly seconds: number
  readonly topic: string
  readonly user: string
  readonly password: string
}

export interface MqttLoadResult {
  readonly sent: number
  /** Acknowledged within the time. */
  readonly acked: number
  /** Not acknowledged even long after. */
  readonly unanswered: number
  readonly seconds: number
  readonly p50us: number
  readonly p99us: number
}

/** Compiles the publisher into a directory. Undefined where there is no C compiler. */
export async function compileMqttLoad(
  directory: string,
): Promise<((load: MqttLoad) => Promise<MqttLoadResult>) | undefined> {
  const source = fileURLToPath(new URL('mqtt-load.c', import.meta.url))
  const binary = join(directory, 'mqtt-load')
  const file = join(directory, 'payload.json')
  try {
    await run('cc', ['-O2', '-o', binary, source])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  writeFileSync(file, payload)
  return async ({ port, connections, window, seconds, topic, user, password }) => {
    const args = [port, connections, window, seconds, topic, file, stationAt].map(String)
    const env = { ...process.env, MQTT_USER: user, MQTT_PASSWORD: password }
    const { stdout } = await run(binary, args, { env })
    return JSON.parse(stdout) as MqttLoadResult
  }
}
