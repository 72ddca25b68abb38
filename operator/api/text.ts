/**
 * Text of at most `limit` characters, with … for what was left out. Counted, and cut, in code points as the API server
 * does: half a character would come back as another one, and the status would be written again and again.
 */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text
  const characters = [...text]
  return characters.length <= limit ? text : `${characters.slice(0, limit - 1).join('')}…`
}

/** The first of so many things, and how many more there are. */
export function listed(things: readonly string[], most: number): string {
  const more = things.length > most ? ` and ${things.length - most} more` : ''
  return `${things.slice(0, most).join(', ')}${more}`
}
