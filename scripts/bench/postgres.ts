import { execFile, spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { chown } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { until } from '../../packages/node/test/support/until.ts'
import { endProcess } from './server.ts'
import { tempDirectory } from './temp.ts'

const run = promisify(execFile)

export interface Postgres extends AsyncDisposable {
  /** Directory of its socket; it listens on no port. */
  readonly socket: string
}

/** A server of Debian's packages on a new directory, with its default configuration. Undefined when it is not installed. */
export async function startPostgres(): Promise<Postgres | undefined> {
  const binaries = globSync('/usr/lib/postgresql/*/bin').sort().at(-1)
  if (binaries === undefined) return undefined
  const directory = await tempDirectory()
  const owner = await serverUser()
  if (owner) await chown(directory.path, owner.uid, owner.gid)
  const data = join(directory.path, 'data')
  // Whatever the locale of this process is: without one, texts would be bytes.
  const cluster = ['-D', data, '-U', 'postgres', '-A', 'trust', '--encoding=UTF8', '--no-locale']
  await run(join(binaries, 'initdb'), cluster, { ...owner, cwd: directory.path })
  const args = ['-D', data, '-k', directory.path, '-c', 'listen_addresses=']
  const child = spawn(join(binaries, 'postgres'), args, { ...owner, cwd: directory.path, stdio: 'ignore' })
  await until('PostgreSQL answers', () => answers(directory.path))
  return {
    socket: directory.path,
    async [Symbol.asyncDispose]() {
      await endProcess(child, 'SIGQUIT')
      await directory[Symbol.asyncDispose]()
    },
  }
}

/** It refuses to run as root; then it runs as the user that the package made. */
async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

async function answers(host: string): Promise<boolean> {
  const client = new pg.Client({ host, user: 'postgres', database: 'postgres' })
  try {
    await client.connect()
    await client.end()
    return true
  } catch {
    return false
  }
}
