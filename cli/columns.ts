/** Rows as kubectl prints them. */

const gap = 3

/** Lines of a table: columns as wide as their widest cell, the last one as it is. In: the head and the rows, all of one length. */
export function tableOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)) + gap)
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('')
      .trimEnd(),
  )
}

const units = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
] as const

/** How long ago that was, such as 5d, 4h, 12m or 30s; `<unknown>` where nothing says when. In: RFC 3339, and now. */
export function ageOf(time: string | undefined, now: Date): string {
  if (time === undefined) return '<unknown>'
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(time)) / 1000))
  const unit = units.find(([size]) => seconds >= 2 * size)
  return unit ? `${Math.floor(seconds / unit[0])}${unit[1]}` : `${seconds}s`
}
