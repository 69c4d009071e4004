import type { Random } from '../support/random.ts'

/** Tables of the random queries; text is ordered by its bytes, as applets have it. */
export const tables = {
  ours: [
    'CREATE TABLE a (id integer, k text, n integer, v double precision, b boolean, m numeric(10,2))',
    'CREATE TABLE c (id integer, k text, w bigint)',
  ],
  postgres: [
    'CREATE TABLE a (id integer, k text COLLATE "C", n integer, v double precision, b boolean, m numeric(10,2))',
    'CREATE TABLE c (id integer, k text COLLATE "C", w bigint)',
  ],
}

const words = ['', 'a', 'ab', 'Abc', ' b ', 'ä', 'zz', '%', 'a_b', '10', '9']

function oneOf<T>(random: Random, items: readonly T[]): T {
  return items[random.int(0, items.length - 1)]!
}

function orNull(random: Random, value: string): string {
  return random.int(0, 5) === 0 ? 'NULL' : value
}

/** Statements that fill the tables, the same for both. */
export function inserts(random: Random, rows: number): string[] {
  const text = () => orNull(random, `'${oneOf(random, words)}'`)
  const number = (low: number, high: number) => orNull(random, String(random.int(low, high)))
  return Array.from({ length: rows }, (_, id) => {
    const half = orNull(random, `${random.int(-40, 40) / 2}`)
    const truth = orNull(random, oneOf(random, ['true', 'false']))
    const money = orNull(random, (random.int(-500, 500) / 4).toFixed(2))
    return [
      `INSERT INTO a VALUES (${id}, ${text()}, ${number(-9, 9)}, ${half}, ${truth}, ${money})`,
      `INSERT INTO c VALUES (${number(0, rows)}, ${text()}, ${number(-5, 2_000_000_000)})`,
    ]
  }).flat()
}

type Kind = 'integer' | 'double' | 'text' | 'boolean'

/** A random expression over the columns of `a`. */
function expression(random: Random, kind: Kind, depth: number): string {
  const of = (wanted: Kind) => expression(random, wanted, depth - 1)
  if (depth === 0) return leaf(random, kind)
  switch (kind) {
    case 'integer':
      return oneOf(random, [
        () => `(${of('integer')} ${oneOf(random, ['+', '-', '*'])} ${of('integer')})`,
        () => `(${of('integer')} ${oneOf(random, ['/', '%'])} nullif(${of('integer')}, 0))`,
        () => `abs(${of('integer')})`,
        () => `length(${of('text')})`,
        () => `coalesce(${of('integer')}, ${of('integer')})`,
        () => `nullif(${of('integer')}, ${of('integer')})`,
        () => `CASE WHEN ${of('boolean')} THEN ${of('integer')} ELSE ${of('integer')} END`,
        () => `greatest(${of('integer')}, ${of('integer')})`,
        () => `strpos(${of('text')}, ${leaf(random, 'text')})`,
      ])()
    case 'double':
      return oneOf(random, [
        () => `(${of('double')} ${oneOf(random, ['+', '-', '*'])} ${of('double')})`,
        () => `(${of('double')} / nullif(${of('double')}, 0))`,
        () => `${oneOf(random, ['floor', 'ceil', 'abs', 'sign', 'round', 'trunc'])}(${of('double')})`,
        () => `sqrt(abs(${of('double')}))`,
        () => `least(${of('double')}, ${of('double')})`,
      ])()
    case 'text':
      return oneOf(random, [
        () => `(${of('text')} || ${of('text')})`,
        () => `${oneOf(random, ['trim', 'ltrim', 'rtrim'])}(${of('text')})`,
        () => `substr(${of('text')}, ${random.int(1, 3)}, ${random.int(0, 3)})`,
        () => `${oneOf(random, ['left', 'right'])}(${of('text')}, ${random.int(0, 3)})`,
        () => `replace(${of('text')}, 'a', 'xy')`,
        () => `concat(${of('text')}, ${of('text')})`,
      ])()
    case 'boolean':
      return oneOf(random, [
        () => `(${of('boolean')} ${oneOf(random, ['AND', 'OR'])} ${of('boolean')})`,
        () => `(NOT ${of('boolean')})`,
        () => `(${of('integer')} ${comparison(random)} ${of('integer')})`,
        () => `(${of('double')} ${comparison(random)} ${of('double')})`,
        () => `(${of('text')} ${comparison(random)} ${of('text')})`,
        () => `(${of('text')} LIKE ${oneOf(random, ["'a%'", "'_'", "'%b%'", "'a\\_b'", "''"])})`,
        () => `(${of('integer')} BETWEEN ${of('integer')} AND ${of('integer')})`,
        () => `(${of('integer')} IN (1, ${of('integer')}))`,
        () => `(${of('double')} IS ${oneOf(random, ['NULL', 'NOT NULL'])})`,
        () => `EXISTS (SELECT 1 FROM c WHERE c.id = a.id AND c.w > ${random.int(-5, 5)})`,
        () => `(a.n ${oneOf(random, ['IN', 'NOT IN'])} (SELECT c.w FROM c WHERE c.w < ${random.int(-5, 9)}))`,
      ])()
  }
}

function comparison(random: Random): string {
  return oneOf(random, ['=', '<>', '<', '<=', '>', '>='])
}

function leaf(random: Random, kind: Kind): string {
  const leaves: Readonly<Record<Kind, readonly string[]>> = {
    integer: ['a.n', 'a.id', 'a.n', `${random.int(-3, 9)}::integer`],
    double: ['a.v', 'a.v', `${random.int(-5, 5)}.5::double precision`],
    text: ['a.k', 'a.k', `'${oneOf(random, words)}'::text`],
    boolean: ['a.b', 'true', 'false'],
  }
  return oneOf(random, leaves[kind])
}

const kinds: readonly Kind[] = ['integer', 'double', 'text', 'boolean']

function order(random: Random, columns: number): string {
  const terms = Array.from({ length: columns }, (_, i) => `${i + 1}`).sort(() => random.int(0, 1) - 0.5)
  return terms
    .map(
      (term) => `${term}${oneOf(random, ['', ' ASC', ' DESC'])}${oneOf(random, ['', ' NULLS FIRST', ' NULLS LAST'])}`,
    )
    .join(', ')
}

function from(random: Random): string {
  const on = oneOf(random, ['c.id = a.id', 'c.k = a.k', 'c.id = a.n AND c.w > 0', 'c.id < a.id AND c.k = a.k'])
  return oneOf(random, [
    'a',
    'a',
    `a JOIN c ON ${on}`,
    `a LEFT JOIN c ON ${on}`,
    'a RIGHT JOIN c ON c.id = a.id',
    'a FULL JOIN c ON c.id = a.id',
    '(SELECT * FROM a WHERE n > 0) a',
  ])
}

/** A query whose rows have an order that leaves open only how equal rows stand. */
export function query(random: Random): string {
  const where = random.int(0, 2) === 0 ? '' : ` WHERE ${expression(random, 'boolean', 2)}`
  return random.int(0, 1) === 0 ? plain(random, where) : grouped(random, where)
}

function plain(random: Random, where: string): string {
  const columns = Array.from({ length: random.int(1, 4) }, () => expression(random, oneOf(random, kinds), 2))
  const distinct = oneOf(random, ['', '', 'DISTINCT '])
  const limit = oneOf(random, ['', '', ` LIMIT ${random.int(0, 20)} OFFSET ${random.int(0, 9)}`])
  const list = columns.map((column, i) => `${column} AS c${i}`).join(', ')
  return `SELECT ${distinct}${list} FROM ${from(random)}${where} ORDER BY ${order(random, columns.length)}${limit}`
}

function grouped(random: Random, where: string): string {
  const group = expression(random, oneOf(random, kinds), 1)
  const aggregates = [
    () => 'count(*)',
    () => `count(${expression(random, oneOf(random, kinds), 1)})`,
    () => `count(DISTINCT ${expression(random, 'integer', 0)})`,
    () => `${oneOf(random, ['sum', 'avg', 'min', 'max'])}(${expression(random, 'integer', 1)})`,
    () => `${oneOf(random, ['min', 'max'])}(${expression(random, 'double', 1)})`,
    // Halves, which both add without rounding.
    () => `${oneOf(random, ['sum', 'avg'])}(a.v)`,
    () => `${oneOf(random, ['sum', 'min', 'max'])}(a.m)`,
    () => `${oneOf(random, ['min', 'max'])}(${expression(random, 'text', 1)})`,
    () => `${oneOf(random, ['bool_and', 'bool_or'])}(${expression(random, 'boolean', 1)})`,
  ]
  const columns = [group, ...Array.from({ length: random.int(1, 3) }, () => oneOf(random, aggregates)())]
  const list = columns.map((column, i) => `${column} AS c${i}`).join(', ')
  const having = oneOf(random, ['', '', ' HAVING count(*) > 1'])
  return `SELECT ${list} FROM ${from(random)}${where} GROUP BY 1${having} ORDER BY ${order(random, columns.length)}`
}
