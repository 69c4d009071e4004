import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Static, TSchema } from 'typebox'
import type { Group } from '../../account/privileges.ts'
import { ApiError, type FieldError } from '../api-error.ts'
import type { AccountIdentity } from '../endpoint.ts'
import { accountOf } from './auth.ts'
import type { HttpDeps } from './deps.ts'
import { goJson, jsonType, textType } from './json.ts'
import { alsoCheck, type Check, checkAll, compileCheck } from './validate.ts'

export const basePath = '/srv-applet-mgr/v0'

interface RouteInput<P, Q, B> {
  readonly params: P
  readonly query: Q
  readonly body: B
  /** The caller; of open routes nobody. */
  readonly account: AccountIdentity
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** An operation of the management API. The schemas check the request, type the handler, and are published. */
export interface Route<
  P extends TSchema = TSchema,
  Q extends TSchema = TSchema,
  B extends TSchema = TSchema,
  A extends TSchema = TSchema,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below {@link basePath}. */
  readonly path: string
  /** Other paths that clients use for the same. */
  readonly aliases?: readonly string[]
  readonly summary: string
  readonly group: Group
  /** @default 'account' */
  readonly auth?: 'none' | 'account' | 'admin'
  /** What an access key needs. @default READONLY for GET, else READ_WRITE */
  readonly access?: 'READONLY' | 'READ_WRITE'
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** What else is wrong with a body that lacks fields; one that lacks none is examined where it is applied. */
  readonly bodyProblems?: (body: unknown) => readonly FieldError[]
  /** Absent when there is nothing to answer (204). */
  readonly answer?: A
  /** The body is a form with a file; the handler reads it. */
  readonly multipart?: boolean
  /** The handler answers by itself, with this content type. */
  readonly raw?: string
  handle(input: RouteInput<Static<P>, Static<Q>, Static<B>>): Static<A> | undefined | Promise<Static<A> | undefined>
}

/** Infers the types of one route and forgets them, so that routes of all kinds stand in one list. */
export function route<P extends TSchema, Q extends TSchema, B extends TSchema, A extends TSchema>(
  spec: Route<P, Q, B, A>,
): Route {
  return spec
}

export function registerRoutes(app: FastifyInstance, routes: readonly Route[], deps: HttpDeps): void {
  for (const spec of routes)
    for (const [index, path] of [spec.path, ...(spec.aliases ?? [])].entries())
      app.route(toFastify(spec, path, index > 0, deps))
}

function toFastify(spec: Route, path: string, isAlias: boolean, deps: HttpDeps): RouteOptions {
  const callers = new WeakMap<FastifyRequest, AccountIdentity>()
  const parts = checks(spec)
  return {
    method: spec.method,
    url: `${basePath}${path}`,
    schema: isAlias ? { hide: true } : openApiOf(spec),
    // Before the body is read: strangers do not get to send one.
    onRequest: async (request) => {
      if (spec.auth !== 'none') callers.set(request, await authorise(spec, request, deps))
    },
    handler: async (request, reply) => {
      const [params, query, body] = checkAll(parts.map(({ check, read }) => ({ check, value: read(request) })))
      const account = callers.get(request) as AccountIdentity
      const value = await spec.handle({ params, query, body, account, request, reply })
      return spec.raw ? reply : answer(reply, spec.method, value)
    },
  }
}

function checks({
  params,
  query,
  body,
  bodyProblems,
  multipart,
}: Route): { check: Check; read: (request: FastifyRequest) => unknown }[] {
  const pass: Check = (value) => ({ value, errors: [] })
  const ofBody = body && !multipart ? compileCheck(body, 'body') : pass
  return [
    { check: params ? compileCheck(params, 'path') : pass, read: (request) => request.params },
    { check: query ? compileCheck(query, 'query') : pass, read: (request) => request.query },
    { check: bodyProblems ? alsoCheck(ofBody, bodyProblems) : ofBody, read: (request) => request.body ?? null },
  ]
}

async function authorise(spec: Route, request: FastifyRequest, deps: HttpDeps): Promise<AccountIdentity> {
  const account = await accountOf(request, deps)
  const access = spec.access ?? (spec.method === 'GET' ? 'READONLY' : 'READ_WRITE')
  if (!account.permits(spec.group, access)) throw new ApiError('AccessKeyPermissionDenied', `${spec.group} ${access}`)
  if (spec.auth === 'admin' && account.role !== 'ADMIN') throw new ApiError('NoAdminPermission')
  return account
}

/** 201 for a value of POST, 200 for other values, 204 for none. */
function answer(reply: FastifyReply, method: string, value: unknown): FastifyReply {
  if (value === undefined) return reply.code(204).send()
  reply.code(method === 'POST' ? 201 : 200)
  if (typeof value === 'string') return reply.header('content-type', textType).send(value)
  return reply.header('content-type', jsonType).send(goJson(value))
}

function openApiOf(spec: Route): Record<string, unknown> {
  const status = spec.answer ? (spec.method === 'POST' ? 201 : 200) : 204
  const success = spec.raw
    ? { 200: { description: 'the bytes', content: { [spec.raw]: { schema: { type: 'string' } } } } }
    : { [status]: spec.answer ?? { type: 'null', description: 'done' } }
  return {
    summary: spec.summary,
    operationId: operationId(spec),
    tags: [spec.group],
    ...(spec.auth === 'none' ? { security: [] } : {}),
    ...(spec.params ? { params: spec.params } : {}),
    ...(spec.query ? { querystring: spec.query } : {}),
    ...(spec.body ? { body: spec.body } : {}),
    ...(spec.multipart ? { consumes: ['multipart/form-data'] } : {}),
    response: { ...success, default: { $ref: 'Error#' } },
  }
}

function operationId({ method, path }: Route): string {
  return `${method.toLowerCase()}${path.replace(/[/:_]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`
}
