/**
 * Posts events over kept-alive connections, one request at a time on each. For machines without `wrk`; it costs about as
 * much as what it measures. Arguments: URL, token, connections, seconds. Prints one line of JSON as `http-load.lua` does.
 */
import { connect } from 'node:net'
import { payload, stationAt } from '../payload.ts'

const [address = '', token = '', connections = '64', seconds = '3'] = process.argv.slice(2)
const url = new URL(address)
const began = performance.now()
const end = began + Number(seconds) * 1000
const latenciesMs: number[] = []
let errors = 0
let open = Number(connections)

function requestOf(station: number): Buffer {
  const body = Buffer.from(payload)
  body.write(`${station}`.padStart(4, '0'), stationAt)
  const head = [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/octet-stream',
    `Content-Length: ${body.length}`,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body])
}

/** Bytes of the first answer in the text, when it is whole. */
function answerLength(text: string): number | undefined {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const length = head + 4 + Number(/content-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0)
  return text.length >= length ? length : undefined
}

function run(station: number): void {
  const request = requestOf(station)
  const socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
  let sentAt = 0
  let received = ''
  const send = () => {
    sentAt = performance.now()
    if (sentAt < end) socket.write(request)
    else socket.end()
  }
  socket.on('connect', send)
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    const length = answerLength(received)
    if (length === undefined) return
    if (!received.startsWith('HTTP/1.1 2')) errors++
    received = received.slice(length)
    latenciesMs.push(performance.now() - sentAt)
    send()
  })
  socket.on('error', () => errors++)
  socket.on('close', () => {
    if (--open === 0) report()
  })
}

function report(): void {
  latenciesMs.sort((a, b) => a - b)
  const percentile = (share: number) => Math.round((latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0) * 1000)
  const elapsed = (performance.now() - began) / 1000
  const result = {
    requests: latenciesMs.length,
    errors,
    seconds: elapsed,
    p50us: percentile(0.5),
    p99us: percentile(0.99),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

for (let station = 0; station < Number(connections); station++) run(station)
