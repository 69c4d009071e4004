/** A mistake in a flow, by its place in the configuration. */
export interface FlowProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** Notes a mistake; all are told at once. */
export type Report = (path: FlowProblem['path'], message: string) => void

/** `operators[1].window.sizeMs: what is wrong` */
export function problemText({ path, message }: FlowProblem): string {
  const place = path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i > 0 ? '.' : ''}${part}`)).join('')
  return place === '' ? message : `${place}: ${message}`
}
