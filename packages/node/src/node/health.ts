import type { ControlDatabase } from '../database/control/control.ts'
import type { Executor } from '../event/executor/executor.ts'
import type { MqttServices } from './mqtt-services.ts'

export interface HealthDeps {
  readonly ready: () => boolean
  readonly control: Pick<ControlDatabase, 'prepare'>
  readonly executor: Pick<Executor, 'inspectModule'>
  readonly mqtt: Pick<MqttServices, 'health'>
}

/** How long an executor thread may take to answer, milliseconds; one that runs a handler is busy for longer at times. */
const answerMs = 1000

/** The start of every module, and nothing after it: a thread that is alive refuses it. */
const emptyModule = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

/** Each part of the node with `ok` or what is wrong with it. */
export async function health({ ready, control, executor, mqtt }: HealthDeps): Promise<Record<string, string>> {
  return {
    node: ready() ? 'ok' : 'starting or stopping',
    database: databaseHealth(control),
    executor: await executorHealth(executor),
    ...mqtt.health(),
  }
}

function databaseHealth(control: HealthDeps['control']): string {
  try {
    control.prepare('SELECT count(*) FROM sqlite_schema').get()
    return 'ok'
  } catch (error) {
    return `cannot be read: ${codeOf(error)}`
  }
}

async function executorHealth(executor: HealthDeps['executor']): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, answerMs, `busy: no answer within ${answerMs} ms`)
  })
  const answer = executor.inspectModule(emptyModule).then(
    () => 'ok',
    (error: unknown) => (codeOf(error) === 'MODULE_INVALID' ? 'ok' : codeOf(error)),
  )
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

/** Codes only: texts may name files, and everybody may ask. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : 'unknown'
}
