/**
 * The operand stack of a function as it is known without running it: for every value where it was made, and whether its
 * bits may be a NaN of the machine's choice.
 */
export class OperandStack {
  height = 0
  /** The greatest height so far. */
  highest = 0
  /** Where in the file the value lies on top of the stack; −1 where it never does. */
  readonly madeAt: number[] = []
  /** A shape of {@link nanShape}. */
  readonly nan: number[] = []

  clear(): void {
    this.height = 0
    this.highest = 0
  }

  push(madeAt: number, nan: number): void {
    const at = this.height++
    if (this.height > this.highest) this.highest = this.height
    this.madeAt[at] = madeAt
    this.nan[at] = nan
  }

  /** Results of a call or block; only the last of them lies on top where it is made. */
  pushMany(count: number, madeAt: number, nan: number): void {
    for (let n = 1; n <= count; n++) this.push(n === count ? madeAt : -1, nan)
  }
}
