import type { SqlRequest, SqlResult } from '../../database/database.ts'
import type { HostFault } from '../engine.ts'
import type { Guest } from './guest.ts'
import { hostFuel } from './host-fuel.ts'
import { hostFunction } from './host-function.ts'
import { parseSqlRequest } from './sql-request.ts'
import { encodeSqlResult } from './sql-result.ts'
import { status } from './status.ts'

/** @throws HostFault Sql for a request that is not as the kits write it */
function readRequest(guest: Guest, pointer: number, size: number): SqlRequest | undefined {
  const text = guest.text(pointer, size)
  return text === undefined ? undefined : parseSqlRequest(text)
}

function setSqlDb(guest: Guest) {
  return (pointer: number, size: number) => {
    const request = readRequest(guest, pointer, size)
    if (request === undefined) return status.resourceNotFound
    return guest.whenAnswered(guest.call.host.sqlExecute(request), () => status.ok)
  }
}

function getSqlDb(guest: Guest) {
  return (pointer: number, size: number, addressAt: number, sizeAt: number) => {
    const request = readRequest(guest, pointer, size)
    if (request === undefined) return status.resourceNotFound
    return guest.whenAnswered(guest.call.host.sqlQuery(request), (result: SqlResult) =>
      guest.handOverText(encodeSqlResult(result), addressAt, sizeAt),
    )
  }
}

const refusal = (fault: HostFault) => (fault.reason === 'NoDatabase' ? status.noDatabase : status.failed)

export const sqlFunctions = [
  hostFunction('ws_set_sql_db', 'ii:i', setSqlDb, { blocks: 'sql', refusal, fuel: hostFuel.sql }),
  hostFunction('ws_get_sql_db', 'iiii:i', getSqlDb, { handsOver: true, blocks: 'sql', refusal, fuel: hostFuel.sql }),
]
