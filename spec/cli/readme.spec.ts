// What the README shows is what is printed: its programs are run, its commands too, and the recording in it is read.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as library from '../../src/index.ts'
import { ruleById } from '../../src/rules/index.ts'
import { ceheap, Folder, root } from './run.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')
const folder = new Folder()
// Inside the package, so that `import ... from 'ceheap'` finds what is published.
const inside = mkdtempSync(join(root, 'build', 'readme-'))

/** The one block between fences, of a language where one is named, that has a text in it. */
function block(mark: string, language = ''): string {
  const found = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter(([, of, text]) => of === language && text?.includes(mark))
  assert.is(found.length, 1, `${mark} is in ${found.length} blocks`)
  return found[0]?.[2] as string
}

/** The one command, indented or after a dollar, that begins so; without `ceheap`. */
function command(start: string): string[] {
  const found = [...readme.matchAll(/^(?: {2,4}|\$ )ceheap (.*)$/gm)]
    .map(([, text]) => text as string)
    .filter((text) => text.startsWith(start))
  assert.is(found.length, 1, found.join(' | '))
  return (found[0] as string).split(' ')
}

function run(program: string): string {
  const path = join(inside, 'program.mjs')
  writeFileSync(path, program)
  const { status, stdout, stderr } = spawnSync(process.execPath, [path], { cwd: folder.path, encoding: 'utf8', timeout: 60_000 })
  assert.is(status, 0, stderr)
  return stdout
}

/** Every line of the first is in the second, in this order: the README leaves lines out, and changes none. */
function assertLines(shown: string, printed: string): void {
  const lines = printed.split('\n')
  let at = 0
  for (const line of shown.split('\n').filter((text) => text !== '...')) {
    const found = lines.indexOf(line, at)
    assert.ok(found >= 0, `not printed, or not there: ${line}\n${printed}`)
    at = found + 1
  }
}

const programs = suite('README: the programs')

for (const [, program, printed] of readme.matchAll(/^```ts\n((?:(?!```)[\s\S])*)```\n\nprints\n\n```\n([\s\S]*?)^```$/gm) as Iterable<
  string[]
>) {
  const title = program
    ?.trim()
    .split('\n')
    .find((line) => line.startsWith('const'))
  programs(`prints what is said: ${title}`, () => {
    const imports = program?.startsWith('import') === true ? '' : `import { ${Object.keys(library).join(', ')} } from 'ceheap'\n`
    assert.is(run(imports + program), printed)
  })
}

programs('are three', () => {
  assert.is(readme.match(/^prints$/gm)?.length, 3)
})

programs('the recorder writes a recording that the check reads', () => {
  const heap = 'process.thread.HeapAlloc(process.thread.GetProcessHeap(), 0, 10)'
  run(block('jsonLinesWriter', 'ts').replace("// ... the program's calls, on process.thread ...", heap))
  const { status, out } = ceheap(['check', join(folder.path, 'trace.jsonl'), '--severity', 'error'])
  assert.is(status, 0)
  assert.match(out, /ceheap trace: 2 memory calls of 1 process, 1 thread\n/)
})

programs('a line of our own format is a call that the check replays', () => {
  const line = readme.match(/^ {4}(\{"call":.*)$/m)?.[1]
  const header = readme.match(/the header `(\{.*?\})`/)?.[1]
  const { out } = ceheap(['check', '-'], { input: `${header}\n${line}\n` })
  assert.match(out, /ceheap trace: 1 memory call of 1 process, 1 thread\n/)
})

programs.run()

const words = suite('README: what it points at')

words('each link of ours leads to a file or a chapter', () => {
  const chapters = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title]) => `#${title?.toLowerCase().replaceAll(' ', '-')}`)
  for (const [, to] of readme.matchAll(/\]\((?!https?:)([^)]*)\)/g) as Iterable<string[]>) {
    assert.ok(to?.startsWith('#') === true ? chapters.includes(to) : existsSync(join(root, to as string)), to)
  }
})

words('each rule id is one of ours', () => {
  for (const [id] of readme.matchAll(/\b[A-Z]{1,2}-\d+\b/g)) {
    if (id !== 'UTF-8') assert.ok(ruleById(id), id)
  }
})

words.run()

const commands = suite('README: the commands')

commands('npm start', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const [, started] = scripts.start.split(' && node ')
  const { stdout } = spawnSync(process.execPath, [started], { cwd: root, encoding: 'utf8', timeout: 30_000 })
  assertLines(block('desktop-habits.wine-relay.log'), stdout)
})

commands('ceheap conform, of a heap that gives what was asked for', () => {
  const shown = block('$ ceheap conform').replace(/^\$.*\n/, '')
  const { status, out } = ceheap(command('conform examples/'))
  assert.is(out, shown)
  assert.is(status, 1)
})

// How fast the calls went is of one machine; nothing else is.
const shown = block('Workload   racy-mailbox').replace(/^Calls .*$/m, '...')
const racy = command('stress --workload examples/racy-mailbox.mjs --threads 2 --ops 10')

commands('ceheap stress finds the race of the mailbox', () => {
  const { status, out } = ceheap(racy)
  assertLines(shown, out)
  assert.is(out.split('\n').length, shown.split('\n').length)
  assert.is(status, 1)
})

commands('its last line makes that order again', () => {
  const again = shown.match(/^ {2}ceheap (stress .* --schedule replay:\S+)$/m)?.[1] as string
  const { status, out } = ceheap(again.split(' '))
  const calls = shown.match(/^ {2}thread {2}call[\s\S]*?\^ .*$/m)?.[0] as string
  assertLines(calls, out)
  assert.is(status, 1)
})

const leave = '    ce.LeaveCriticalSection(section) // two lines too early\n'

function mended(): string {
  const module = readFileSync(join(root, 'examples', 'racy-mailbox.mjs'), 'utf8')
  const [before, after] = module.split(leave) as [string, string]
  return folder.file('mended.mjs', before + after.replace(/^ {4}\}\n/m, `    }\n${leave}`))
}

commands('with the section left behind the `if` no order of the campaign fails', () => {
  // A tenth of the runs: all of them take half a minute.
  const { status, out } = ceheap([...racy.with(2, mended()).slice(0, -1), '100'])
  assertLines(block('ok   1,000 runs').replace('1,000', '100'), out)
  assert.is(status, 0)
})

commands('--ops 3 --schedule explore finds the race in its fifth run, and covers the mended module', () => {
  const explore = ['--threads', '2', '--ops', '3', '--schedule', 'explore']
  assert.match(ceheap(['stress', '--workload', 'examples/racy-mailbox.mjs', ...explore]).out, /^FAIL finding after 4 good runs$/m)
  assertLines(block('Covered    every order'), ceheap(['stress', '--workload', mended(), ...explore]).out)
})

commands('the head of the mailbox is the example', () => {
  const lines = block('the head of it', 'js').split('\n').slice(1)
  assert.ok(readFileSync(join(root, 'examples', 'racy-mailbox.mjs'), 'utf8').includes(lines.join('\n')))
})

commands.after(() => {
  folder.remove()
  rmSync(inside, { recursive: true, force: true })
})
commands.run()
