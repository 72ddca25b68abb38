/** Enough for what a burst of objects of a few kinds has in common. */
const most = 4096

const known = new Map<string, string>()

/**
 * The one copy of a text that was seen lately. Each object that is parsed has its own copies of names, labels and
 * messages, and most of these are in many others; which are not, nobody can know, so that all are forgotten now and then.
 */
export function sharedText(text: string): string {
  const earlier = known.get(text)
  if (earlier !== undefined) return earlier
  if (known.size >= most) known.clear()
  known.set(text, text)
  return text
}
