import { DatabaseError } from '../errors.ts'

/** The statement is outside the dialect. */
export function refuse(what: string, wanted: string): never {
  throw new DatabaseError({ code: 'SQL_REFUSED', what, wanted })
}

/** The statement is well-formed and cannot be carried out. */
export function fail(detail: string, cause?: unknown): never {
  throw new DatabaseError({ code: 'SQL_FAILED', detail }, cause === undefined ? undefined : { cause })
}
