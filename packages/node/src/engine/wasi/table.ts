import type { HostFunction } from '../host/host-function.ts'
import { clockFunctions } from './clock.ts'
import { environmentFunctions } from './environment.ts'
import { errno } from './errno.ts'
import { dataFunctions } from './fd-data.ts'
import { statusFunctions } from './fd-status.ts'
import { pathFunctions } from './path-functions.ts'
import { pollFunctions } from './poll.ts'
import { wasiFunction } from './wasi-function.ts'

/** The rest of preview 1: signals and sockets, which applets do not have. Each answers ENOSYS. */
const absent: Readonly<Record<string, string>> = {
  proc_raise: 'i:i',
  sock_accept: 'iii:i',
  sock_recv: 'iiiiii:i',
  sock_send: 'iiiii:i',
  sock_shutdown: 'ii:i',
}

function notSupported() {
  return (): number => errno.nosys
}

/** WASI preview 1, complete. */
export const wasiFunctions: readonly HostFunction[] = [
  ...environmentFunctions,
  ...clockFunctions,
  ...pollFunctions,
  ...dataFunctions,
  ...statusFunctions,
  ...pathFunctions,
  ...Object.entries(absent).map(([name, signature]) => wasiFunction(name, signature, notSupported)),
]
