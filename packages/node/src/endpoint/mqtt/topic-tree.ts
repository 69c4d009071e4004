interface Node<T> {
  readonly children: Map<string, Node<T>>
  readonly values: Set<T>
}

/** Values under topic filters, found by topic name; matching follows MQTT 5 section 4.7. */
export class TopicTree<T> {
  readonly #root: Node<T> = node()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(filter: string, value: T): void {
    let at = this.#root
    for (const level of filter.split('/')) {
      let next = at.children.get(level)
      if (!next) {
        next = node()
        at.children.set(level, next)
      }
      at = next
    }
    if (!at.values.has(value)) this.#size++
    at.values.add(value)
  }

  remove(filter: string, value: T): void {
    const path: [Node<T>, string][] = []
    let at = this.#root
    for (const level of filter.split('/')) {
      const next = at.children.get(level)
      if (!next) return
      path.push([at, level])
      at = next
    }
    if (at.values.delete(value)) this.#size--
    for (const [parent, level] of path.reverse()) {
      const child = parent.children.get(level)!
      if (child.values.size > 0 || child.children.size > 0) return
      parent.children.delete(level)
    }
  }

  /** Visits the values of every filter that matches. */
  match(topic: string, visit: (value: T) => void): void {
    walk(this.#root, topic.split('/'), 0, visit)
  }

  /** Whether anything matches. */
  has(topic: string): boolean {
    let found = false
    this.match(topic, () => {
      found = true
    })
    return found
  }
}

function node<T>(): Node<T> {
  return { children: new Map(), values: new Set() }
}

function walk<T>(at: Node<T>, levels: string[], depth: number, visit: (value: T) => void): void {
  // A wildcard at the first level does not see topics that begin with `$` [MQTT-4.7.2-1].
  const wild = depth > 0 || !levels[0]!.startsWith('$')
  // `a/#` matches `a` as well.
  if (wild) at.children.get('#')?.values.forEach(visit)
  if (depth === levels.length) {
    at.values.forEach(visit)
    return
  }
  const exact = at.children.get(levels[depth]!)
  if (exact) walk(exact, levels, depth + 1, visit)
  const plus = wild ? at.children.get('+') : undefined
  if (plus) walk(plus, levels, depth + 1, visit)
}

/** Whether one filter matches one topic; what the tree does, for a single filter. */
export function matches(filter: string, topic: string): boolean {
  const tree = new TopicTree<true>()
  tree.add(filter, true)
  return tree.has(topic)
}
