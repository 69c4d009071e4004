/** Whether something of one of these types is anywhere in a parsed expression. */
export function mentions(node: unknown, types: readonly string[]): boolean {
  if (typeof node !== 'object' || node === null) return false
  const { type } = node as { type?: string }
  return (type !== undefined && types.includes(type)) || Object.values(node).some((value) => mentions(value, types))
}
