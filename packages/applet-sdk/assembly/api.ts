/**
 * Services of the node that take longer than a handler may. The call answers at once whether the request was accepted; the
 * result comes later as an event of the type named, whose payload {@link parseResponse} reads.
 */
import { fromBase64, fromText, toBase64, toText } from './bytes'
import * as json from './json'
import { outPointer, outSize, refuse, takeText } from './memory'

// @ts-ignore: decorator
@external('env', 'ws_api_call')
declare function ws_api_call(request: usize, requestSize: usize, pointer: usize, size: usize): i32

export class Response {
  constructor(
    /** As in HTTP: 200 accepted, 400 refused. */
    readonly statusCode: i32,
    readonly body: string,
  ) {}
}

/** Reads the payload of a result event, or the answer of a call. Text of another form gives status 0. */
export function parseResponse(text: string): Response {
  const response = json.parse(text)
  return new Response(response.get('StatusCode').toI32(), toText(fromBase64(response.get('Body').toText())))
}

/**
 * @param path for example `/system/read_tx`
 * @param body JSON, or empty
 * @param eventType under which the result will come
 */
export function call(method: string, path: string, body: string, eventType: string): Response {
  return send(method, 'w3bstream://w3bstream.com' + path, new json.ObjectWriter(), body, eventType)
}

/**
 * A request to a web server that the project's `outboundHosts` name:
 * `new api.Request('POST', 'https://example.com/x').header('Content-Type', 'text/plain').body('hello').send('ANSWER')`.
 */
export class Request {
  private headers: json.ObjectWriter = new json.ObjectWriter()
  private content: string = ''

  constructor(
    readonly method: string,
    readonly url: string,
  ) {}

  header(name: string, value: string): Request {
    this.headers.raw(name, '[' + json.quote(value) + ']')
    return this
  }

  body(text: string): Request {
    this.content = text
    return this
  }

  /** @returns 202 when it was accepted. The server's answer comes as an event of this type, for {@link parseResponse} */
  send(eventType: string): Response {
    return send(this.method, this.url, this.headers, this.content, eventType)
  }
}

function send(method: string, url: string, headers: json.ObjectWriter, body: string, eventType: string): Response {
  const request = new json.ObjectWriter()
    .text('Method', method)
    .text('Url', url)
    .raw('Header', headers.raw('Eventtype', '[' + json.quote(eventType) + ']').toString())
    .raw('Body', body.length == 0 ? 'null' : '"' + toBase64(fromText(body)) + '"')
  const bytes = String.UTF8.encode(request.toString())
  const code = ws_api_call(changetype<usize>(bytes), bytes.byteLength, outPointer(), outSize())
  if (code != 0) refuse('api.call ' + url, code)
  return parseResponse(takeText())
}

/** Asks for a transaction by hash. @param chainName for example `iotex-testnet` */
export function readTransaction(chainName: string, hash: string, eventType: string): Response {
  const body = new json.ObjectWriter().text('chainName', chainName).text('hash', hash)
  return call('GET', '/system/read_tx', body.toString(), eventType)
}

/** Sends a transaction and reports its end: the result's body has `transactionID` and `state`. */
export function sendTransaction(
  chainName: string,
  operator: string,
  to: string,
  value: string,
  data: string,
  eventType: string,
): Response {
  const body = new json.ObjectWriter()
    .text('chainName', chainName)
    .text('operatorName', operator)
    .text('to', to)
    .text('value', value)
    .text('data', data)
  return call('POST', '/system/send_tx', body.toString(), eventType)
}
