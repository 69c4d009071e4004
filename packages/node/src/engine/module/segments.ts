/**
 * The segments of a function: pieces of its code that run equally often, however they lie in the file, so that the fuel of
 * all is taken where the first begins. A call of a function counts as something that returns.
 */
export class Segments {
  /** Fuel of each segment. Number 0 collects code that nothing reaches. */
  readonly cost: number[] = []
  /** Where the segment must look whether there is fuel left: at the heads of loops. */
  readonly checks: boolean[] = []
  /** The innermost loop around each segment, or −1. */
  readonly loop: number[] = []
  /** By loop: whether nothing in it can change the counter of fuel but its own segments. */
  readonly loopIsLeaf: boolean[] = []
  /** By loop: the one around it, or −1. */
  readonly loopParent: number[] = []
  /** By loop: the segment at its head; 0 when nothing reaches it. */
  readonly loopHead: number[] = []

  clear(): void {
    this.cost.length = 1
    this.cost[0] = 0
    this.checks.length = 1
    this.loop.length = 1
    this.loopIsLeaf.length = 0
    this.loopParent.length = 0
    this.loopHead.length = 0
  }

  open(loop: number): number {
    this.checks.push(false)
    this.loop.push(loop)
    return this.cost.push(0) - 1
  }

  openLoop(parent: number): number {
    this.loopParent.push(parent)
    this.loopHead.push(0)
    return this.loopIsLeaf.push(false) - 1
  }

  /** Whether a segment keeps the counter in a local while its loop runs. */
  inLeafLoop(segment: number): boolean {
    const loop = this.loop[segment]!
    return loop >= 0 && this.loopIsLeaf[loop]!
  }

  /** Whether a loop is the outermost of those that keep the counter in a local. */
  entersLeafLoop(loop: number): boolean {
    const parent = this.loopParent[loop]!
    return this.loopIsLeaf[loop]! && !(parent >= 0 && this.loopIsLeaf[parent]!)
  }
}
