import { statementLimits } from './limits.ts'
import { refuse } from './refuse.ts'

/** What a name may not be: too long, empty, or with a dot, which separates schema and table in the file. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'a name that is not empty'
  if (Buffer.byteLength(name) > statementLimits.nameBytes) return `a name of at most ${statementLimits.nameBytes} bytes`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[.\u0000-\u001f]/.test(name)) return 'a name without dots and control characters'
  return undefined
}

/** A name in quotes. @throws DatabaseError SQL_REFUSED */
export function quoteName(name: string): string {
  const problem = nameProblem(name)
  if (problem) refuse(`the name ${JSON.stringify(name.slice(0, 80))}`, problem)
  return `"${name.replaceAll('"', '""')}"`
}

const systemSchemas = new Set(['pg_catalog', 'information_schema', 'pg_toast', 'sqlite', 'main', 'temp'])

/**
 * The name under which a table or index of an applet stands in the file: `schema.name`. Names without schema are of
 * `public`. The dot keeps them apart from the node's own tables.
 */
export function physicalName(name: { schema?: string; name: string }): string {
  const schema = name.schema ?? 'public'
  if (systemSchemas.has(schema.toLowerCase())) refuse(`the schema ${schema}`, 'tables of the project')
  quoteName(schema)
  quoteName(name.name)
  return `${schema}.${name.name}`
}

/** A physical name in quotes. */
export function quotePhysical(physical: string): string {
  return `"${physical.replaceAll('"', '""')}"`
}

/** A text in quotes. */
export function quoteText(text: string): string {
  if (text.includes('\0')) refuse('a NUL character in text', 'text without it, or bytea')
  return `'${text.replaceAll("'", "''")}'`
}
