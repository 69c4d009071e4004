/** Child of `crash.test.ts`: commits batches and says the height of each after its commit, until it is killed. */
import { writeSync } from 'node:fs'
import { batchRow, messageRow, project } from '../exam.ts'
import { openSqliteDatabase } from './sqlite-database.ts'

const directory = process.argv[2]
if (!directory) throw new Error('usage: crash-writer DIRECTORY')

const store = await openSqliteDatabase({ directory }).openProject(project)
let { height } = await store.tip()
for (;;) {
  height++
  const transaction = await store.begin()
  await transaction.sqlExecute({ statement: 'CREATE TABLE IF NOT EXISTS t (batch bigint, n int)', params: [] })
  for (let n = 0; n < 3; n++)
    await transaction.sqlExecute({
      statement: `INSERT INTO t VALUES (?, ${n})`,
      params: [{ type: 'int64', value: height }],
    })
  await transaction.kvPut([{ namespace: 'n', key: 'k', value: Uint8Array.of(Number(height & 0xffn)) }])
  const messages = Array.from({ length: 100 }, (_, i) => messageRow(Number(height), i))
  await transaction.commit(batchRow(Number(height), { messages }))
  writeSync(1, `${height}\n`)
}
