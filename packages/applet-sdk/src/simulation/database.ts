import type { FaultReason, SqlParam, SqlRequest, SqlResult, SqlType, SqlValue } from '../engine-contract.ts'

/** Tables of a project for a test. The node's CLI hands in one on the node's own SQL dialect. */
export interface SimulatedDatabase {
  /** @throws the engine's fault, reason Sql */
  execute(request: SqlRequest): SqlResult
  query(request: SqlRequest): SqlResult
  begin(): void
  commit(): void
  rollback(): void
}

/** Tables as a project's `PROJECT_DATABASE` configuration states them. */
export interface DatabaseSchema {
  readonly dialect?: 'POSTGRES'
  readonly schemas?: readonly {
    readonly schema?: string
    readonly tables: readonly TableSchema[]
  }[]
}

export interface TableSchema {
  readonly name: string
  readonly desc?: string
  readonly cols: readonly {
    readonly name: string
    readonly constrains: {
      readonly datatype: string
      readonly length?: number
      readonly decimal?: number
      readonly default?: string | null
      readonly null?: boolean
      readonly autoincrement?: boolean
      readonly desc?: string
    }
  }[]
  readonly keys?: readonly {
    readonly name?: string
    readonly method?: string
    readonly isUnique?: boolean
    readonly columnNames: readonly string[]
    readonly expr?: string
  }[]
}

export interface DatabaseDeps {
  fault(reason: FaultReason, message: string): Error
}

/** Makes the database of a simulation from the schema that the test states. */
export type OpenDatabase = (
  schema: DatabaseSchema,
  deps: DatabaseDeps,
) => SimulatedDatabase | Promise<SimulatedDatabase>

export type { SqlParam, SqlRequest, SqlResult, SqlType, SqlValue }
