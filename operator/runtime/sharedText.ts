/** Enough for what a burst of objects of a few kinds has in common. */
const mostTexts = 4096
/** Of all of them together: what nobody has any more must not add up, and files of a stack are large. */
const mostCharacters = 1024 * 1024

const known = new Map<string, string>()
let characters = 0

/**
 * The one copy of a text that was seen lately. Each object that is parsed has its own copies of names, labels and
 * messages, and most of these are in many others; which are not, nobody can know, so that all are forgotten now and then.
 */
export function sharedText(text: string): string {
  const earlier = known.get(text)
  if (earlier !== undefined) return earlier
  if (known.size >= mostTexts || characters + text.length > mostCharacters) {
    known.clear()
    characters = 0
  }
  known.set(text, text)
  characters += text.length
  return text
}
