// uvu drops a suite that is declared and never run, and a test added after `.run()`, without a word, while the file's other suites
// keep the totals plausible. Only the source text shows it.

const declaration = /\b(?:const|let|var)\s+(\w+)(?:\s*:\s*[^=\n]+)?\s*=\s*suite\s*(?:<[^(]*>)?\(/g
const call = /(?<![\w.])suite\s*(?:<[^(]*>)?\(/g

function lastIndexOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].at(-1)?.index ?? -1
}

/** What is wrong with the suites of one spec file: `text` is its source, compiled or not. */
export function forgottenSuites(text: string): string[] {
  const names = [...text.matchAll(declaration)].map((match) => match[1] ?? '')
  const problems: string[] = []
  if ([...text.matchAll(call)].length > names.length) problems.push("a suite is not kept in a variable: write const name = suite('…')")
  if (/import\s*\{[^}]*\btest\b[^}]*\}\s*from\s*'uvu'/.test(text)) names.push('test')
  for (const name of names) {
    const run = lastIndexOf(text, new RegExp(`\\b${name}\\.run\\(`, 'g'))
    const added = lastIndexOf(text, new RegExp(`(?<![\\w.])${name}(?:\\.only|\\.skip)?\\(\\s*['"\`]`, 'g'))
    if (run < 0) problems.push(`the suite "${name}" is declared but .run() was forgotten`)
    else if (added > run) problems.push(`a test is added to "${name}" after its .run(): it never runs`)
  }
  return problems
}
