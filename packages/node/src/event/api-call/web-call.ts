import { isHost, matchesHost, parseHostPattern } from '../../util/host-pattern.ts'
import { type ApiRequest, isToken } from './request.ts'
import { type ApiResponse, jsonResponse } from './response.ts'

/** An address in the web, read without help of the platform: what is refused must not depend on its version. */
const form = /^(https?):\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(?:[/?][\x21\x23-\x5b\x5d\x5f-\x7e]*)?$/

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
/** Headers of the connection and its way, which are the node's; and the key under which it repeats a request. */
const ownHeaders = new Set([
  ...['host', 'content-length', 'transfer-encoding', 'connection', 'keep-alive', 'te', 'trailer', 'upgrade', 'expect'],
  ...['proxy-authorization', 'proxy-authenticate', 'proxy-connection', 'forwarded', 'via', 'idempotency-key'],
])

/** Whether this is a call to the web rather than to the node. */
export function isWebUrl(url: string): boolean {
  return /^https?:/i.test(url)
}

/** The immediate answer: 202 when the request will be made after the commit. @param hosts that the project may reach */
export function answerWebCall(request: ApiRequest, hosts: readonly string[]): ApiResponse {
  const { method, body, eventType } = request
  const target = webTarget(request.url)
  if (!target) return refused('the URL is not one of a web server')
  if (eventType === '') return refused('the header Eventtype is required: the answer comes as an event')
  if (!methods.has(method)) return refused(`the method is none of ${[...methods].join(', ')}`)
  if ((method === 'GET' || method === 'HEAD') && body.length > 0) return refused(`${method} has no body`)
  const header = Object.entries(request.header).find(([name, values]) => headerProblem(name, values))
  if (header) return refused(`the header ${header[0]} may not be sent`)
  if (!mayReach(hosts, target.host, target.port))
    return jsonResponse(403, { error: `the project's outboundHosts do not have ${target.host}:${target.port}` })
  return { status: 202, body: '' }
}

/** Whether a project with these `outboundHosts` may reach a host. @param host lower case, IPv6 in brackets */
export function mayReach(hosts: readonly string[], host: string, port: number): boolean {
  const patterns = hosts.map(parseHostPattern).filter((pattern) => pattern !== undefined)
  return matchesHost(patterns, host, port)
}

function webTarget(url: string): { host: string; port: number } | undefined {
  const authority = /^[^/]*\/\/[^/?]*/.exec(url)?.[0] ?? ''
  const found = form.exec(authority.toLowerCase() + url.slice(authority.length))
  if (!found) return undefined
  const [, scheme, host = '', given] = found
  const port = given === undefined ? (scheme === 'https' ? 443 : 80) : Number(given)
  return isHost(host) && port > 0 && port <= 65_535 ? { host, port } : undefined
}

function headerProblem(name: string, values: readonly string[]): boolean {
  return !isToken(name) || ownHeaders.has(name.toLowerCase()) || values.some((value) => !/^[\t\x20-\x7e]*$/.test(value))
}

function refused(error: string): ApiResponse {
  return jsonResponse(400, { error })
}
