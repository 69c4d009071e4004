import type { Default } from '../sql/constant.ts'
import { constantOf, type DefineNeeds } from '../sql/define.ts'
import { parseExpression } from '../sql/parse.ts'
import type { ColumnType } from '../sql/types.ts'

/**
 * A default of the configuration. It is a fragment of SQL; an empty one means an empty text.
 * @throws DatabaseError SQL_* when it is not a constant expression of the type
 */
export function readDefault(fragment: string, type: ColumnType, needs: DefineNeeds): Default {
  return constantOf(parseExpression(fragment.trim() === '' ? "''" : fragment), type, needs)
}
