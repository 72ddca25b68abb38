/** One line of Prometheus' text format. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** All lines of one metric. */
export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly samples: readonly Sample[]
}

/** The metrics in a text of Prometheus' format 0.0.4. Throws for anything the format does not allow. */
export function parseExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, Family & { readonly samples: Sample[] }>()
  let current: (Family & { readonly samples: Sample[] }) | undefined
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`${name} is there twice`)
      current = { name, type: '', help: rest, samples: [] }
      families.set(name, current)
    } else if (keyword === 'TYPE') {
      if (current?.name !== name || current.samples.length > 0) throw new Error(`TYPE of ${name} is out of place`)
      current = { ...current, type: rest }
      families.set(name, current)
    } else {
      const sample = parseSample(line)
      if (current === undefined || !belongs(sample.name, current)) throw new Error(`out of place: ${line}`)
      current.samples.push(sample)
    }
  }
  return families
}

function parseSample(line: string): Sample {
  const [, name, inside = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
  if (name === undefined) throw new Error(`cannot be read: ${line}`)
  const pairs = [...inside.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/g)]
  if (pairs.map(([all]) => all).join('') !== inside) throw new Error(`labels cannot be read: ${line}`)
  const labels = Object.fromEntries(pairs.map(([, label = '', text = '']) => [label, text]))
  return { name, labels, value: value === '+Inf' ? Infinity : Number(value) }
}

function belongs(sample: string, { name, type }: Family): boolean {
  return type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample) : sample === name
}

/** What promtool would object to, and what it would not but a dashboard would: one line each. */
export function faultsOf(families: ReadonlyMap<string, Family>): readonly string[] {
  return [...families.values()].flatMap((family) => [
    ...namingFaults(family),
    ...family.samples.filter(({ value }) => !Number.isFinite(value)).map(({ name }) => `${name} has no finite value`),
    ...(family.type === 'histogram' ? histogramFaults(family) : []),
    ...doubles(family),
  ])
}

function namingFaults({ name, type, help }: Family): string[] {
  const faults: string[] = []
  if (help.trim() === '') faults.push(`${name} has no help`)
  if (!['counter', 'gauge', 'histogram'].includes(type)) faults.push(`${name} has the type '${type}'`)
  if ((type === 'counter') !== name.endsWith('_total')) faults.push(`${name} is a ${type}`)
  if (!/^[a-z][a-z0-9_]*$/.test(name)) faults.push(`${name} is no name`)
  if (/_(milliseconds|minutes|kilobytes|megabytes)(_|$)/.test(name)) faults.push(`${name} is in no base unit`)
  return faults
}

function histogramFaults({ name, samples }: Family): string[] {
  const faults: string[] = []
  for (const count of samples.filter((sample) => sample.name === `${name}_count`)) {
    const buckets = samples.filter(
      (sample) =>
        sample.name === `${name}_bucket` &&
        Object.entries(count.labels).every(([label, value]) => sample.labels[label] === value),
    )
    const values = buckets.map(({ value }) => value)
    if (values.some((value, index) => value < (values[index - 1] ?? 0))) faults.push(`${name} has falling buckets`)
    if (buckets.at(-1)?.labels['le'] !== '+Inf' || values.at(-1) !== count.value) {
      faults.push(`${name} has no bucket for all`)
    }
  }
  return faults
}

function doubles({ samples }: Family): string[] {
  const ids = samples.map(idOf)
  return ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`)
}

/** Name and labels of a sample: what makes it a series. */
export function idOf({ name, labels }: Sample): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  return `${name}{${pairs.toSorted().join(',')}}`
}

/** The value of the series `id`, labels in the order of the alphabet; undefined when it is not there. */
export function valueOf(families: ReadonlyMap<string, Family>, id: string): number | undefined {
  const family = families.get(id.slice(0, id.indexOf('{'))) ?? families.get(id.replace(/_(bucket|sum|count)\{.*$/, ''))
  return family?.samples.find((sample) => idOf(sample) === id)?.value
}
