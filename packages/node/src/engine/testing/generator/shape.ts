import type { Draw } from './draw.ts'
import type { Letter } from './instruction-table.ts'

export interface Signature {
  readonly params: readonly Letter[]
  readonly results: readonly Letter[]
}

/** A host function that generated modules import, and what its parameters mean. */
interface HostImport extends Signature {
  readonly module: string
  readonly name: string
  /** One letter a parameter: `a` address, `s` size of what lies at the address before, `n` any number. */
  readonly roles: string
}

const host = (name: string, roles: string): HostImport => ({
  module: 'env',
  name,
  roles,
  params: [...roles].map(() => 'i'),
  results: ['i'],
})
const wasi = (name: string, roles: string, params: readonly Letter[]): HostImport => ({
  module: 'wasi_snapshot_preview1',
  name,
  roles,
  params,
  results: ['i'],
})

const hostImports: readonly HostImport[] = [
  host('ws_log', 'nas'),
  host('ws_set_db', 'asas'),
  host('ws_get_db', 'asaa'),
  host('ws_get_data', 'naa'),
  host('ws_get_env', 'asaa'),
  wasi('fd_write', 'nana', ['i', 'i', 'i', 'i']),
  wasi('random_get', 'as', ['i', 'i']),
  wasi('clock_time_get', 'nna', ['i', 'I', 'i']),
  wasi('environ_sizes_get', 'aa', ['i', 'i']),
  wasi('sched_yield', '', []),
]

interface TableShape {
  readonly type: 'r' | 'x'
  readonly min: number
  readonly max: number
}

/** What a generated module declares. Functions are numbered with the imports first, as in the binary format. */
export interface Shape {
  readonly types: readonly Signature[]
  readonly imports: readonly HostImport[]
  /** Type of each function that the module defines. */
  readonly functions: readonly number[]
  /** How many of the first functions are handlers. */
  readonly handlers: number
  /** The first function that is in tables; those before call it, and not the other way round, so that most calls end. */
  readonly firstLeaf: number
  readonly tables: readonly TableShape[]
  readonly memory: { readonly min: number; readonly max: number }
  readonly globals: readonly { readonly type: Letter; readonly mutable: boolean }[]
  /** Segments of functions: entries are indices among the defined functions, −1 for null. Active ones go to table 0. */
  readonly elements: readonly { readonly active: boolean; readonly entries: readonly number[] }[]
  readonly data: readonly { readonly active: boolean; readonly at: number; readonly bytes: readonly number[] }[]
  readonly hasStart: boolean
}

/** `(i32) -> i32`: handlers and `alloc`. */
export const handlerType = 0
export const startType = 1

const numbers: readonly Letter[] = ['i', 'I', 'f', 'F']

function someType(draw: Draw): Letter {
  return draw.weighted<Letter>([
    [8, draw.pick(numbers)],
    [2, 'v'],
    [1, draw.pick(['r', 'x'] as const)],
  ])
}

function signature(draw: Draw): Signature {
  return {
    params: draw.list(
      draw.weighted([
        [3, 0],
        [4, 1],
        [3, 2],
        [2, 4],
      ]),
      () => someType(draw),
    ),
    results: draw.list(
      draw.weighted([
        [2, 0],
        [6, 1],
        [2, 2],
        [1, 4],
      ]),
      () => someType(draw),
    ),
  }
}

export function drawShape(draw: Draw): Shape {
  const types: Signature[] = [
    { params: ['i'], results: ['i'] },
    { params: [], results: [] },
  ]
  types.push(...draw.list(draw.between(3, 8), () => signature(draw)))
  const imports = hostImports.filter(() => draw.chance(50))
  const handlers = draw.between(1, 3)
  const others = draw.between(2, 7)
  const functions = [...draw.list(handlers, () => handlerType), ...draw.list(others, () => draw.below(types.length))]
  const firstLeaf = handlers + draw.below(others)
  const leaf = () => (draw.chance(20) ? -1 : draw.between(firstLeaf, functions.length - 1))
  const min = draw.between(4, 10)
  const entries = draw.between(2, min)
  const tables: TableShape[] = [{ type: 'r', min, max: min + draw.below(12) }]
  if (draw.chance(40))
    tables.push({ type: draw.pick(['r', 'x'] as const), min: draw.below(4), max: draw.between(4, 20) })
  const pages = draw.between(1, 2)
  return {
    types,
    imports,
    functions,
    handlers,
    firstLeaf,
    tables,
    memory: {
      min: pages,
      max:
        pages +
        draw.weighted([
          [2, 0],
          [1, 1],
          [1, 4],
        ]),
    },
    globals: draw.list(draw.between(2, 7), () => ({ type: someType(draw), mutable: draw.chance(80) })),
    elements: [
      { active: true, entries: draw.list(entries, leaf) },
      ...draw.list(draw.below(3), () => ({ active: false, entries: draw.list(draw.below(5), leaf) })),
    ],
    data: draw.list(draw.below(4), () => ({
      active: draw.chance(50),
      at: draw.below(60_000),
      bytes: draw.list(draw.below(40), () => draw.below(256)),
    })),
    hasStart: draw.chance(20),
  }
}
