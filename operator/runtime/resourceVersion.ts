/**
 * Which of two resourceVersions of one type is newer: negative when `a` is older, 0 when equal, positive when newer.
 * They are decimal numbers that may not fit a JavaScript number; undefined and '' are older than all.
 */
export function compareResourceVersions(a = '', b = ''): number {
  if (a.length !== b.length) return a.length - b.length
  if (a === b) return 0
  return a < b ? -1 : 1
}
