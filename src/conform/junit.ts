import type { ConformReport } from './report.ts'
import { sequenceText } from './text.ts'

/** The report as JUnit XML: a suite a topic of rules, a test a case. What differs from our choices is skipped there, with a word. */
export function conformJunit({ implementation, results, cases, failed, notApplicable, differing }: ConformReport): string {
  const suites = new Map<string, string[]>()
  for (const { id, title, status, reason, shortest } of results) {
    const [family = id, name = id] = id.split('/')
    const open = `    <testcase classname="${escaped(family)}" name="${escaped(`${name}: ${title}`)}"`
    let text = `${open}/>`
    if (status === 'fail' && shortest !== null) {
      const message = `expected ${shortest.expected}, got ${shortest.got}`
      text = `${open}>\n      <failure message="${escaped(message)}">${escaped(`${shortest.face}, ${shortest.profile} ${shortest.build}\n${sequenceText(shortest, '')}`)}</failure>\n    </testcase>`
    } else if (status !== 'pass') {
      text = `${open}>\n      <skipped message="${escaped(status === 'differs' ? `the documentation is silent here; it answers otherwise: ${reason}` : reason)}"/>\n    </testcase>`
    }
    suites.set(family, [...(suites.get(family) ?? []), text])
  }
  const body = [...suites].map(([name, tests]) => {
    const failures = tests.filter((test) => test.includes('<failure ')).length
    const skipped = tests.filter((test) => test.includes('<skipped ')).length
    return `  <testsuite name="${escaped(name)}" tests="${tests.length}" failures="${failures}" skipped="${skipped}">\n${tests.join('\n')}\n  </testsuite>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="${escaped(`ceheap conform: ${implementation}`)}" tests="${cases}" failures="${failed}" skipped="${notApplicable + differing}">
${body.join('\n')}
</testsuites>
`
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text for XML and HTML; control characters, which XML cannot carry at all, become question marks. */
export function escaped(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[&<>"']/g, (sign) => entities[sign] ?? sign).replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '?')
}
