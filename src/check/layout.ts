/** Breaks a text at blanks into lines of at most `width` characters; a longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line === '') line = word
    else if (line.length + 1 + word.length <= width) line += ` ${word}`
    else {
      lines.push(line)
      line = word
    }
  }
  lines.push(line)
  return lines
}

/** `label` in a column of its own, the wrapped text behind it. */
export function labelled(label: string, text: string, indent: number, column: number, width: number): string[] {
  const at = indent + column
  return wrap(text, Math.max(width - at, 20)).map(
    (line, index) => `${' '.repeat(indent)}${(index === 0 ? label : '').padEnd(column)}${line}`
  )
}

/** Rows with their columns aligned: to the right where `right` says so. The last column is not padded. */
export function aligned(rows: readonly (readonly string[])[], right: readonly boolean[], gap = 2): string[] {
  const widths: number[] = []
  for (const row of rows) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, at) => (right[at] === true ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join(' '.repeat(gap))
      .trimEnd()
  )
}

/** At most `width` characters, the cut shown. */
export function clipped(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(width - 3, 1))}...`
}

/** `1 call`, `2,345 calls`. */
export function plural(count: number, one: string, many: string = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
}
