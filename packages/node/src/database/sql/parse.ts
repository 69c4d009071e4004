import { createRequire } from 'node:module'
import type { Expr, Statement } from 'pgsql-ast-parser'
import { DatabaseError } from '../errors.ts'
import { check } from './check.ts'
import { refuse } from './refuse.ts'
import { scan } from './scan.ts'

type Parser = typeof import('pgsql-ast-parser')

const require = createRequire(import.meta.url)
let parser: Parser | undefined

/** Loaded by the first statement: it takes 10 MiB, which threads without SQL save. */
function loadParser(): Parser {
  parser ??= require('pgsql-ast-parser') as Parser
  return parser
}

/** Words that begin statements which the parser does not know, or knows only to be refused. */
const refusedWords = new Set(
  'pragma attach detach copy vacuum analyze explain show set reset listen notify grant revoke begin start commit rollback savepoint release lock call do prepare execute deallocate declare fetch reindex cluster comment truncate'.split(
    ' ',
  ),
)

/**
 * Reads one statement of the dialect.
 * @throws DatabaseError SQL_SYNTAX, SQL_REFUSED
 */
export function parseStatement(text: string): Statement {
  const scanned = scan(text)
  const word = /^\s*([A-Za-z]+)/.exec(scanned)?.[1]?.toLowerCase()
  if (word && refusedWords.has(word))
    refuse(word.toUpperCase(), 'SELECT, INSERT, UPDATE, DELETE, CREATE, DROP or ALTER; a batch is the transaction')
  const statements = parsed(() => loadParser().parse(scanned))
  if (statements.length > 1) refuse(`${statements.length} statements in one call`, 'one statement per call')
  const statement = statements[0]
  if (!statement) throw new DatabaseError({ code: 'SQL_SYNTAX', detail: 'the statement is empty' })
  check(statement)
  return statement
}

/** Reads an expression, such as a default of a column. */
export function parseExpression(text: string): Expr {
  const scanned = scan(text)
  const expression = parsed(() => loadParser().parse(scanned, 'expr'))
  check(expression)
  return expression
}

function parsed<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    const [detail] = (error as Error).message.split('\n')
    throw new DatabaseError({ code: 'SQL_SYNTAX', detail: (detail ?? '').slice(0, 200) }, { cause: error })
  }
}
