// Whether a text is well-formed XML, as far as reports use it: strict where the reader of a CI system is.

const attribute = /\s+[A-Za-z_][\w.-]*="([^"<]*)"/g

/** What is wrong with the text; nothing where it is well-formed. */
export function xmlProblems(text: string): string[] {
  const problems: string[] = []
  const open: string[] = []
  let roots = 0
  const words = (part: string): void => {
    if (/&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)/.test(part)) problems.push(`bare & in ${JSON.stringify(part)}`)
    if (part.includes('>')) problems.push(`bare > in ${JSON.stringify(part)}`)
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what XML forbids
  if (/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Cs}/u.test(text)) problems.push('a character that XML forbids')
  const rest = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '')
  if (rest === text) problems.push('no declaration')
  let at = 0
  for (const match of rest.matchAll(/<([^>]*)>/g)) {
    const before = rest.slice(at, match.index)
    words(before)
    if (open.length === 0 && before.trim() !== '') problems.push(`text outside of the root: ${before}`)
    at = match.index + match[0].length
    const [, slash, name = '', attributes = '', closed] =
      /^(\/?)([A-Za-z][\w.-]*)((?:\s+[A-Za-z_][\w.-]*="[^"<]*")*)\s*(\/?)$/.exec(match[1] ?? '') ?? []
    if (name === '') {
      problems.push(`no tag: ${match[0]}`)
      continue
    }
    const names = [...attributes.matchAll(attribute)].map(([whole, value = '']) => {
      words(value)
      return whole.trim().split('=')[0]
    })
    if (new Set(names).size !== names.length) problems.push(`an attribute twice: ${match[0]}`)
    if (slash === '/') {
      const expected = open.pop()
      if (expected !== name) problems.push(`</${name}> where </${expected}> belongs`)
    } else {
      if (open.length === 0) roots++
      if (closed !== '/') open.push(name)
    }
  }
  if (rest.slice(at).trim() !== '') problems.push('text behind the root')
  if (open.length > 0) problems.push(`not closed: ${open.join(', ')}`)
  if (roots !== 1) problems.push(`${roots} roots`)
  return problems
}
