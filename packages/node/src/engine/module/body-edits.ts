/** What can be done at a place of a function's code. The argument means what each line says. */
export const editKind = {
  /** Takes the fuel of a segment: its number. */
  charge: 0,
  /** Before a loop without calls: brings the fuel into a local. The loop's number. */
  loadFuel: 1,
  /** Gives the stack of this call back. */
  giveBack: 2,
  /** In place of `return`: a branch to the end of the body. The label. */
  leave: 3,
  memorySize: 4,
  memoryGrow: 5,
  /** The table. */
  tableGrow: 6,
  /** Before an operation on a range of memory: takes fuel. */
  bulkMemory: 7,
  /** Before an operation on a range of a table: takes fuel. */
  bulkTable: 8,
  /** Makes a NaN on top of the stack canonical. Its shape. */
  canonical: 9,
} as const

/** The changes to one function, in the order of the file. Reused from function to function. */
export class BodyEdits {
  #count = 0
  #sorted = true
  readonly #start: number[] = []
  readonly #end: number[] = []
  readonly #kind: number[] = []
  readonly #argument: number[] = []
  #order: number[] = []

  clear(): void {
    this.#count = 0
    this.#sorted = true
  }

  get count(): number {
    return this.#count
  }

  /** Puts something in place of the code from `start` to `end`; where both are the same it is inserted. */
  add(kind: number, start: number, end: number, argument = 0): void {
    const index = this.#count++
    if (index > 0 && this.#isBefore(start, end, index - 1)) this.#sorted = false
    this.#start[index] = start
    this.#end[index] = end
    this.#kind[index] = kind
    this.#argument[index] = argument
  }

  #isBefore(start: number, end: number, index: number): boolean {
    return start < this.#start[index]! || (start === this.#start[index]! && end < this.#end[index]!)
  }

  /** Calls back in the order of places; what was added first comes first at the same place, and insertions before replacements. */
  forEach(visit: (kind: number, start: number, end: number, argument: number) => void): void {
    const order = this.#sorted ? undefined : this.#sort()
    for (let n = 0; n < this.#count; n++) {
      const index = order === undefined ? n : order[n]!
      visit(this.#kind[index]!, this.#start[index]!, this.#end[index]!, this.#argument[index]!)
    }
  }

  #sort(): number[] {
    const order = this.#order
    order.length = this.#count
    for (let n = 0; n < this.#count; n++) order[n] = n
    return order.sort((a, b) => this.#start[a]! - this.#start[b]! || this.#end[a]! - this.#end[b]! || a - b)
  }
}
