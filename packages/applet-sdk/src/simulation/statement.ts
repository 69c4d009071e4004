/**
 * Numbers the places of a statement: `?` become `?1`, `?2`, … from left to right, `$n` become `?n`. Literals, quoted names
 * and comments stay as they are.
 * @returns undefined when a second statement follows
 */
export function numberPlaces(statement: string): { text: string; places: number } | undefined {
  const token = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\d+)|\?|;/g
  let count = 0
  let highest = 0
  let ended = -1
  const text = statement.replace(token, (found: string, number: string | undefined, offset: number) => {
    if (found === ';') ended = ended < 0 ? offset : ended
    if (found !== '?' && number === undefined) return found
    const place = number === undefined ? ++count : Number(number)
    highest = Math.max(highest, place)
    return `?${place}`
  })
  if (ended >= 0 && statement.slice(ended).replace(/[;\s]|--[^\n]*|\/\*[\s\S]*?\*\//g, '') !== '') return undefined
  return { text, places: highest }
}
