import { escaped } from './junit.ts'
import type { ConformReport } from './report.ts'
import { sequenceText } from './text.ts'

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1d2329;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #dde2e7}
pre{margin:.4rem 0;padding:.6rem;background:#f4f6f8;overflow-x:auto;font-size:13px}b{white-space:nowrap}
.pass b{color:#18703a}.fail b{color:#b3261e}.differs b{color:#8a5a00}.na b{color:#68727d}
@media (prefers-color-scheme:dark){body{color:#dfe5ea;background:#15191d}th,td{border-color:#333b43}pre{background:#1f262c}
.pass b{color:#6cc48a}.fail b{color:#ff8a80}.differs b{color:#e3b341}.na b{color:#98a3ad}}`

/** The report as one page that needs nothing else: no script, no font, no network. */
export function conformHtml({
  implementation,
  profiles,
  builds,
  cases,
  passed,
  failed,
  notApplicable,
  differing,
  rules,
  notes
}: ConformReport): string {
  const rows = rules.map(({ id, status, cases: count, statement, shortest }) => {
    const shown =
      shortest === null
        ? ''
        : `<details><summary>${escaped(shortest.title)}</summary><pre>${escaped(`// ${shortest.face}, ${shortest.profile} ${shortest.build}\n${sequenceText(shortest, '')}`)}</pre></details>`
    return `<tr class="${status === 'not applicable' ? 'na' : status}"><td>${escaped(id)}</td><td><b>${status}</b></td><td>${count}</td><td>${escaped(statement)}${shown}</td></tr>`
  })
  const beside =
    notes.length === 0 ? '' : `<h2>Beside its answers</h2><ul>${notes.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>ceheap conform: ${escaped(implementation)}</title>
<style>${style}</style></head><body>
<h1>${escaped(implementation)}</h1>
<p>${cases} cases: ${passed} passed, ${failed} failed, ${notApplicable} not applicable, ${differing} differ from our choices. Judged as ${escaped(profiles.join(', '))}; ${escaped(builds.join(', '))}.</p>
<table><thead><tr><th>Rule</th><th>Result</th><th>Cases</th><th>What it says</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table>${beside}
</body></html>
`
}
