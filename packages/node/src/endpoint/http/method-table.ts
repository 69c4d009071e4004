import type { FastifyInstance } from 'fastify'

/**
 * Which methods a path knows, over the routes that are registered from now on. Asked only for requests that no route
 * took, to tell a wrong method from an unknown path.
 */
export function allowedMethods(app: FastifyInstance): (path: string) => string[] {
  const table = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    // The catch-all of preflight requests knows every path.
    if (url === '*' || url === '/*') return
    const entry = table.get(url) ?? { pattern: toPattern(url), methods: new Set() }
    for (const name of [method].flat()) entry.methods.add(name)
    table.set(url, entry)
  })
  return (path) => {
    const found = [...table.values()].filter(({ pattern }) => pattern.test(path))
    return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort()
  }
}

function toPattern(url: string): RegExp {
  const steps = url.split('/').map((step) => {
    if (step.startsWith(':')) return '[^/]+'
    return step === '*' ? '.*' : step.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${steps.join('/')}$`)
}
