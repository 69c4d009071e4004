import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MqttError } from './errors.ts'
import { matches, TopicTree } from './topic-tree.ts'
import { isTopicName, parseFilter } from './topics.ts'

const limits = { maxTopicBytes: 64, maxTopicLevels: 4 }

describe('topic filters', () => {
  it.each([
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['#', 'a/b', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/x', false],
    ['+/monitor', '$SYS/monitor', false],
    ['$SYS/#', '$SYS/monitor', true],
    ['ACCOUNTS', 'Accounts', false],
    ['a', 'a/', false],
  ])('%s matches %s: %s', (filter, topic, expected) => {
    expect(matches(filter, topic)).toBe(expected)
  })

  it('finds in a tree what each filter alone would match, and nothing after removal', () => {
    const level = fc.constantFrom('a', 'b', '', '+', '$x')
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([levels, hash]) => (hash ? [...levels, '#'] : levels).join('/'))
    const topic = fc
      .array(fc.constantFrom('a', 'b', '', '$x'), { minLength: 1, maxLength: 4 })
      .map((levels) => levels.join('/'))
    fc.assert(
      fc.property(fc.uniqueArray(filter), topic, (filters, name) => {
        const tree = new TopicTree<string>()
        for (const one of filters) tree.add(one, one)
        const found = new Set<string>()
        tree.match(name, (one) => found.add(one))
        expect([...found].sort()).toEqual(filters.filter((one) => matches(one, name)).sort())
        for (const one of filters) tree.remove(one, one)
        expect([tree.size, tree.has(name)]).toEqual([0, false])
      }),
    )
  })

  it.each(['', 'a/#/b', 'a#', 'a/b+', '+a', '$share/', '$share/g', '$share//a', '$share/g+/a', '$share/g/'])(
    'refuses %j',
    (filter) => {
      expect(() => parseFilter(filter, limits)).toThrow(MqttError)
    },
  )

  it('takes shared ones apart', () => {
    expect(parseFilter('$share/g/a/#', limits)).toEqual({ path: 'a/#', shareGroup: 'g', wildcard: true })
    expect(parseFilter('$shared/g', limits)).toEqual({ path: '$shared/g', shareGroup: undefined, wildcard: false })
  })

  it('are bounded in length and levels', () => {
    expect(parseFilter('a/b/c/d/e', limits)).toBeUndefined()
    expect(parseFilter('ä'.repeat(33), limits)).toBeUndefined()
    expect(isTopicName('a/b/c/d/e', limits)).toBe(false)
    expect(isTopicName('ä'.repeat(33), limits)).toBe(false)
    expect(isTopicName('ä'.repeat(32), limits)).toBe(true)
    for (const name of ['', 'a/+', 'a/#', 'a+b']) expect(isTopicName(name, limits)).toBe(false)
  })
})
