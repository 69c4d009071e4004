/** Answers a constant after the token check. */
import { serveEvents } from './event-server.ts'

await serveEvents(() => undefined)
