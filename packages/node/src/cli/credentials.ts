import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { CliError } from './errors.ts'

/** A login at one node. */
export interface Session {
  readonly token: string
  readonly accountId: string
  /** RFC 3339. */
  readonly expireAt: string
}

/** What `w3bstream login` remembers: the node used last, and a session per node. */
export interface Credentials {
  readonly version: 1
  readonly current: string
  readonly nodes: Readonly<Record<string, Session>>
}

type Env = Readonly<Record<string, string | undefined>>

/** Where sessions are kept: `$XDG_CONFIG_HOME/w3bstream/credentials.json`, by default below `~/.config`. */
function credentialsFile(env: Env): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'w3bstream', 'credentials.json')
}

/**
 * The remembered sessions; undefined when there are none.
 * @throws CliError CLI_FILE when the file is damaged
 */
export async function readCredentials(env: Env): Promise<Credentials | undefined> {
  const file = credentialsFile(env)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CliError({ code: 'CLI_FILE', file, detail: (error as Error).message }, { cause: error })
  }
  try {
    const value = JSON.parse(text) as Credentials
    if (value.version === 1 && typeof value.current === 'string' && typeof value.nodes === 'object') return value
  } catch {
    // Falls through to the same complaint as a file of another shape.
  }
  throw new CliError({ code: 'CLI_FILE', file, detail: 'not a credentials file; remove it and log in again' })
}

/** Remembers a session, in a file that only its owner can read; replaced whole, so that a crash leaves the old one. */
export async function saveSession(env: Env, url: string, session: Session): Promise<string> {
  const file = credentialsFile(env)
  const known = await readCredentials(env)
  const next: Credentials = { version: 1, current: url, nodes: { ...known?.nodes, [url]: session } }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}.${process.pid}.new`
  await writeFile(fresh, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 })
  await chmod(fresh, 0o600)
  await rename(fresh, file)
  return file
}
