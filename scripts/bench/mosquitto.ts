import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '../../packages/node/test/support/ports.ts'
import { until } from '../../packages/node/test/support/until.ts'
import { endProcess, type Server } from './server.ts'
import { tempDirectory } from './temp.ts'

const run = promisify(execFile)
/** Debian keeps servers off users' search paths. */
const candidates = [
  '/usr/sbin/mosquitto',
  '/usr/local/sbin/mosquitto',
  '/usr/bin/mosquitto',
  '/opt/homebrew/sbin/mosquitto',
]

/** Mosquitto with a password file, nothing on disk. Undefined when it is not installed. */
export async function startMosquitto(user: string, password: string): Promise<Server | undefined> {
  const binary = candidates.find((file) => existsSync(file))
  if (binary === undefined) return undefined
  const directory = await tempDirectory()
  const passwords = join(directory.path, 'passwords')
  await run('mosquitto_passwd', ['-b', '-c', passwords, user, password])
  const [port] = await freePorts(1)
  const settings = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous false',
    `password_file ${passwords}`,
    `user ${userInfo().username}`,
    'persistence false',
    'log_dest none',
    'max_inflight_messages 0',
    'max_queued_messages 0',
  ]
  const file = join(directory.path, 'mosquitto.conf')
  await writeFile(file, `${settings.join('\n')}\n`)
  const child = spawn(binary, ['-c', file], { stdio: 'ignore' })
  await until('Mosquitto listens', () => listens(port!))
  return {
    pid: child.pid!,
    port: port!,
    async [Symbol.asyncDispose]() {
      await endProcess(child)
      await directory[Symbol.asyncDispose]()
    },
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
