// ceheap conform: what it prints, where, and its exit status.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ceheap, Folder, root } from './run.ts'

const folder = new Folder()
const library = pathToFileURL(join(root, 'dist', 'conform.js')).href
const bad = folder.file(
  'bad.mjs',
  `import { emulator } from '${library}'
export default ({ profile, build }) => {
  const good = emulator(profile, build)
  return { ...good, HeapSize: (h, f, p) => good.HeapSize(h, f, p) + 4, HeapFree: (h, f, p) => p === 0 ? 1 : good.HeapFree(h, f, p) }
}
`
)
const command = suite('ceheap conform')

command('without an implementation it asks this emulator and ends with 0', () => {
  const { status, out, err } = ceheap(['conform', '--profile', 'ce-6.0', '--build', 'retail', '--rule', 'HA', 'HS'])
  assert.equal([status, err], [0, ''])
  assert.match(out, /^Implementation {2}this emulator\nJudged as {7}ce-6\.0; retail\n/)
  assert.match(out, /\d+ passed, 0 failed, 0 not applicable\.\n$/)
})

command('a rule that does not hold is told with the calls that show it, and ends with 1', () => {
  const { status, out } = ceheap(['conform', bad, '--rule', 'HS', 'C-5'])
  assert.is(status, 1)
  assert.match(out, /FAIL the size told.*\(HS-3/)
  assert.match(out, /HeapSize\(heap, 0, \w\) {2}\/\/ \d+\n {4}expected \d+, the multiple of 32 that holds \d+, got \d+/)
  assert.match(out, /differs HeapFree of NULL fails as a wrong parameter \(C-5\)/)
  assert.match(out, /\n {2}HS-3 {3}On retail builds/)
})

command('--device prints the C program that the package carries', () => {
  const { status, out } = ceheap(['conform', '--device'])
  assert.is(status, 0)
  assert.is(out, readFileSync(join(root, 'examples', 'conform-device.c'), 'utf8'))
  const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.ok(files.includes('examples/conform-device.c'))
})

command('--format json has the counts and a status for each rule', () => {
  const { status, out } = ceheap(['conform', bad, '--rule', 'HS', 'C-5', '--format', 'json'])
  const report = JSON.parse(out)
  assert.is(status, 1)
  assert.is(report.version, 1)
  assert.is(report.cases, report.passed + report.failed + report.notApplicable + report.differing)
  const rule = report.rules.find((one: { id: string }) => one.id === 'HS-3')
  assert.equal([rule.status, typeof rule.cases], ['fail', 'number'])
})

command('--format junit is XML with a test for each case', () => {
  const { out } = ceheap(['conform', bad, '--rule', 'HS', 'C-5', '--format', 'junit'])
  const [, tests, failures] = /<testsuites name="[^"]*" tests="(\d+)" failures="(\d+)"/.exec(out) ?? []
  assert.is(out.match(/<testcase /g)?.length, Number(tests))
  assert.is(out.match(/<failure /g)?.length, Number(failures))
  assert.ok(Number(failures) > 0)
  assert.not.match(out.replace(/<\/?[a-z]+[^<>]*\/?>|<\?xml[^>]*\?>/g, ''), /[<>]/, 'no bare angle bracket')
})

command('--format html is one page that asks for nothing else; -o writes it to a file', () => {
  const path = join(folder.path, 'report.html')
  assert.equal(ceheap(['conform', bad, '--rule', 'HS', '--format', 'html', '-o', path]).out, '')
  const page = readFileSync(path, 'utf8')
  assert.match(page, /^<!doctype html>[\s\S]*<td>HS-3<\/td><td><b>fail<\/b>/)
  assert.not.match(page, /<script|<link|src=|https?:/)
})

command('--list lists the cases, --uncovered finds no rule without one', () => {
  const { status, out } = ceheap(['conform', '--list'])
  assert.is(status, 0)
  assert.ok(Number(/(\d+) cases\n$/.exec(out)?.[1]) >= 250)
  assert.equal(ceheap(['conform', '--uncovered']), { status: 0, out: '0 rules without a case\n', err: '' })
})

command('where no case is applicable nothing was asked, which is no pass', () => {
  const strange = folder.file('strange.mjs', "export const HeapAlloc = 5, HeapCreate = 'x', memory = 7, GetLastError = () => 0\n")
  const { status, out, err } = ceheap(['conform', strange, '--rule', 'HF'])
  assert.is(status, 2, out)
  assert.match(err, /nothing was asked|has none of the functions/)
})

command('what cannot be used ends with 2 and a message', () => {
  const refused = (args: readonly string[], message: RegExp): void => {
    const { status, out, err } = ceheap(['conform', ...args])
    assert.match(err, message)
    assert.equal([status, out], [2, ''])
    assert.not.match(err, /\n\s+at /)
  }
  refused(['nowhere.mjs'], /nowhere\.mjs: there is no such file/)
  refused(['--rule', 'QQ-1'], /no rule and no case is named "QQ-1"/)
  refused(['--profile', 'ce-9'], /Allowed choices are/)
  refused(['--face', 'nose'], /Allowed choices are/)
  refused(['--timeout', '0'], /Expected milliseconds/)
  refused(['command:'], /expected a command line/)
  refused(['--list', '--device'], /expected one of/)
  refused(['--list', bad], /leave out/)
  refused(['--list', '--rule', 'HA'], /--list asks no implementation, so that --rule would change nothing/)
  refused(['--uncovered', '--format', 'json'], /--uncovered .* --format would change nothing/)
  refused(['--device', '--timeout', '5'], /--device .* --timeout would change nothing/)
  refused(['--timeout', '5'], /--timeout: expected an implementation/)
  refused([bad, '-o', bad], /is the input itself/)
  refused(['-o', 'nowhere/x'], /cannot be written/)
  refused([bad, '--rule', 'HA-5'], /no case speaks of that/)
})

command.after(() => folder.remove())
command.run()
