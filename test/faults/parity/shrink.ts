/** The fewest of `items`, in their order, for which `fails` still holds, by taking away ever smaller pieces. */
export async function shrink<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let left = items
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    // From the end, so that what fails last is looked at last.
    for (let end = left.length; end > 0; end -= size) {
      const fewer = left.toSpliced(Math.max(0, end - size), Math.min(size, end))
      if (await fails(fewer)) left = fewer
    }
  }
  return left
}
