import type { HostFunction } from '../host/host-function.ts'
import { clockFunctions } from './clock.ts'
import { environmentFunctions } from './environment.ts'
import { errno } from './errno.ts'
import { pollFunctions } from './poll.ts'
import { stdioFunctions } from './stdio.ts'
import { wasiFunction } from './wasi-function.ts'

/** The rest of preview 1: files and sockets, which applets do not have. Each answers ENOSYS. */
const absent: Readonly<Record<string, string>> = {
  fd_advise: 'iIIi:i',
  fd_allocate: 'iII:i',
  fd_close: 'i:i',
  fd_datasync: 'i:i',
  fd_fdstat_set_flags: 'ii:i',
  fd_fdstat_set_rights: 'iII:i',
  fd_filestat_get: 'ii:i',
  fd_filestat_set_size: 'iI:i',
  fd_filestat_set_times: 'iIIi:i',
  fd_pread: 'iiiIi:i',
  fd_prestat_dir_name: 'iii:i',
  fd_pwrite: 'iiiIi:i',
  fd_read: 'iiii:i',
  fd_readdir: 'iiiIi:i',
  fd_renumber: 'ii:i',
  fd_seek: 'iIii:i',
  fd_sync: 'i:i',
  fd_tell: 'ii:i',
  path_create_directory: 'iii:i',
  path_filestat_get: 'iiiii:i',
  path_filestat_set_times: 'iiiiIIi:i',
  path_link: 'iiiiiii:i',
  path_open: 'iiiiiIIii:i',
  path_readlink: 'iiiiii:i',
  path_remove_directory: 'iii:i',
  path_rename: 'iiiiii:i',
  path_symlink: 'iiiii:i',
  path_unlink_file: 'iii:i',
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
  ...stdioFunctions,
  ...Object.entries(absent).map(([name, signature]) => wasiFunction(name, signature, notSupported)),
]
