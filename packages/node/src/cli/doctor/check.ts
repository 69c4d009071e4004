/** What was found about one thing. */
export interface Finding {
  readonly name: string
  /** `warn` does not keep a node from running. */
  readonly state: 'ok' | 'warn' | 'fail'
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string
}

export function ok(name: string, detail: string): Finding {
  return { name, state: 'ok', detail }
}

export function warn(name: string, detail: string, fix: string): Finding {
  return { name, state: 'warn', detail, fix }
}

export function fail(name: string, detail: string, fix: string): Finding {
  return { name, state: 'fail', detail, fix }
}
