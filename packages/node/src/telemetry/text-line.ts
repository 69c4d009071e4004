/** A log line as people read it: `12:30:01.123 WARN  chain no answer attempts=3`, times in UTC; an error's stack below. */
export function textLine(json: string): string {
  const { level, time, component, msg, error, ...context } = JSON.parse(json) as Record<string, unknown>
  const clock = new Date(Number(time)).toISOString().slice(11, 23)
  const words = [clock, (levels[Number(level)] ?? String(level)).padEnd(5)]
  if (component !== undefined) words.push(printable(String(component)))
  if (msg !== undefined) words.push(printable(String(msg)))
  for (const [name, value] of Object.entries(context)) words.push(`${name}=${valueText(value)}`)
  return `${words.join(' ')}${errorLines(error)}\n`
}

const levels: Readonly<Record<number, string>> = { 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' }

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : printable(JSON.stringify(text))
}

function errorLines(error: unknown): string {
  if (error === undefined) return ''
  const { stack, message } = (typeof error === 'object' && error !== null ? error : { message: error }) as {
    stack?: unknown
    message?: unknown
  }
  const lines = String(stack ?? message).split('\n')
  return lines.map((line) => `\n  ${printable(line)}`).join('')
}

/** Without the characters that would begin another line or steer a terminal: part of a line may come from a stranger. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\ufffd')
}
