import { constants, type DatabaseSync } from 'node:sqlite'
import { statementLimits } from './limits.ts'
import { nativeNames } from './natives.ts'

/** SQLite's own functions that printed statements use. */
const functions = new Set([
  ...nativeNames,
  ...'abs ceil floor trunc sign lower upper length octet_length substr replace trim ltrim rtrim instr coalesce nullif count sum avg min max group_concat string_agg like json json_type json_array_length json_valid -> ->> hex concat concat_ws unicode iif'.split(
    ' ',
  ),
])

const { SQLITE_OK, SQLITE_DENY } = constants

/**
 * The second line of defence behind the checked and re-printed statement: while a statement of an applet is compiled or run,
 * SQLite itself refuses every table that is not an applet's and every function that is not listed, and values beyond the limit.
 */
export class Guard {
  readonly #limits: DatabaseSync['limits']
  readonly #ownValueBytes: number
  #applet = false

  constructor(db: DatabaseSync) {
    this.#limits = db.limits
    this.#ownValueBytes = db.limits.length
    db.limits.likePatternLength = statementLimits.patternBytes
    db.setAuthorizer((action, first, second) => (this.#applet ? judge(action, first, second) : SQLITE_OK))
  }

  /** Runs something under the restrictions for applets. */
  restricted<T>(run: () => T): T {
    this.#applet = true
    this.#limits.length = statementLimits.valueBytes
    try {
      return run()
    } finally {
      this.#applet = false
      // The node's own rows may be longer.
      this.#limits.length = this.#ownValueBytes
    }
  }
}

function judge(action: number, first: string | null, second: string | null): number {
  switch (action) {
    case constants.SQLITE_SELECT:
      return SQLITE_OK
    case constants.SQLITE_READ:
    case constants.SQLITE_INSERT:
    case constants.SQLITE_UPDATE:
    case constants.SQLITE_DELETE:
      return isApplets(first) ? SQLITE_OK : SQLITE_DENY
    case constants.SQLITE_FUNCTION:
      return functions.has((second ?? '').toLowerCase()) ? SQLITE_OK : SQLITE_DENY
    default:
      return SQLITE_DENY
  }
}

/** Tables of applets and names of common table expressions are printed with a dot; the node's own tables have none. */
function isApplets(table: string | null): boolean {
  return table?.includes('.') ?? false
}
