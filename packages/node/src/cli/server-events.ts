/** One event of a `text/event-stream`. */
export interface ServerEvent {
  /** @default 'message' */
  readonly event: string
  readonly data: string
  readonly id: string
}

/** Longest event that is kept in memory while its end has not come, characters. */
const eventLimit = 4 * 1024 * 1024

/**
 * Splits a server-sent-events stream (WHATWG HTML, 9.2.6) into events. Comments, which keep the connection alive, are
 * passed over; lines end with CR, LF or both.
 * @throws RangeError when one event exceeds 4 MiB
 */
export async function* serverEvents(
  stream: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<ServerEvent> {
  let event = emptyEvent()
  try {
    for await (const line of lines(stream)) {
      if (line === '') {
        if (event.data.length > 0) yield { event: event.type || 'message', data: event.data.join('\n'), id: event.id }
        event = { ...emptyEvent(), id: event.id }
      } else {
        addField(event, line)
      }
    }
  } catch (error) {
    // The reader wanted no more; what was cut off is of no interest.
    if (!signal?.aborted) throw error
  }
}

interface PartialEvent {
  type: string
  data: string[]
  size: number
  id: string
}

function emptyEvent(): PartialEvent {
  return { type: '', data: [], size: 0, id: '' }
}

function addField(event: PartialEvent, line: string): void {
  const colon = line.indexOf(':')
  const name = colon < 0 ? line : line.slice(0, colon)
  const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
  if (name === 'event') event.type = value
  else if (name === 'id') event.id = value
  else if (name === 'data') {
    event.size += value.length
    if (event.size > eventLimit) throw new RangeError(`an event exceeds ${eventLimit} characters`)
    event.data.push(value)
  }
}

async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true })
    // A CR at the very end may be half of a CRLF: left for the next chunk.
    const parts = rest.split(/\r\n|\n|\r(?!$)/)
    rest = parts.pop() ?? ''
    yield* parts
    if (rest.length > eventLimit) throw new RangeError(`a line exceeds ${eventLimit} characters`)
  }
}
