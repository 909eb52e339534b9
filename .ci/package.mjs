// Packs what is in dist/, examines the tarball, installs it into an empty folder and uses it there as a stranger would.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tools = join(root, 'node_modules', '.bin')
const work = mkdtempSync(join(tmpdir(), 'ceheap-package-'))
const shell = process.platform === 'win32'

/** Runs a command and gives its output; `statuses` are the exit codes that are no failure. */
function run(command, args, cwd, statuses = [0]) {
  try {
    return execFileSync(command, args, { cwd, shell, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 })
  } catch (error) {
    if (statuses.includes(error.status)) return error.stdout
    throw new Error(`${command} ${args.join(' ')}: exit ${error.status ?? error.code}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  }
}

function expect(what, text, pattern) {
  if (!pattern.test(text)) throw new Error(`${what}: expected ${pattern}, got\n${text}`)
  process.stdout.write(`ok   ${what}\n`)
}

/** What attw says, read from its JSON: its table is laid out by the width of the terminal, where there is one. */
function wrongTypes(tarball) {
  const { analysis, problems } = JSON.parse(run(join(tools, 'attw'), [tarball, '--profile', 'esm-only', '--format', 'json'], root))
  const entries = Object.keys(analysis.entrypoints)
  const wrong = Object.values(problems)
    .flat()
    .filter(({ resolutionKind }) => resolutionKind !== 'node10' && resolutionKind !== 'node16-cjs')
  const missing = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports).filter(
    (entry) => !entries.includes(entry)
  )
  return `${wrong.length + missing.length} problems in ${entries.length} entries${[...wrong, ...missing].map((one) => `\n${JSON.stringify(one)}`).join('')}`
}

const program = `import { createProcess } from 'ceheap'
import { openCom, type IMalloc } from 'ceheap/com'
import { openHost } from 'ceheap/hosting'
import * as trace from 'ceheap/trace'
import * as check from 'ceheap/check'
import * as rules from 'ceheap/rules'
import { conform, type ConformReport } from 'ceheap/conform'
import { fuzz, fuzzBytes, type FuzzReport } from 'ceheap/fuzz'
import { stress, type StressReport } from 'ceheap/stress'
const process_ = createProcess({ profile: 'compact-2013' })
const ce = process_.thread
const heap: number = ce.HeapCreate(0, 0x1000, 0x40000)
const block: number = ce.HeapAlloc(heap, 8, 100)
if (block === 0 || ce.HeapSize(heap, 0, block) !== 128) throw new Error('HeapAlloc or HeapSize')
const malloc: IMalloc | null = openCom(ce).CoGetMalloc(1).ppMalloc
if (malloc?.DidAlloc(malloc.Alloc(100)) !== 1) throw new Error('IMalloc')
if (openHost(ce).CreateMalloc(1).ppMalloc?.Alloc(100, 0).hr !== 0) throw new Error('IHostMalloc')
process_.check()
process_.close()
const report: StressReport = await stress({ workload: 'mixed', threads: 2, ops: 50 })
if (!report.ok) throw new Error(report.failure?.message)
const judged: ConformReport = await conform({ profile: 'compact-2013', build: 'retail', rule: ['HS'] })
if (judged.failed !== 0 || judged.passed === 0) throw new Error('conform')
const campaign: FuzzReport = await fuzz({ runs: 2, commands: 500 })
for (const kind of ['mixed', 'threads'] as const) {
  const { ok, failure } = await fuzz({ kind, runs: 1, commands: 100 })
  if (!ok) throw new Error(failure?.message)
}
if (!campaign.ok || fuzzBytes(new Uint8Array(100)) === 0) throw new Error(campaign.failure?.message)
for (const part of [trace, check, rules]) if (Object.keys(part).length === 0) throw new Error('an entry is empty')
`
const settings = {
  module: 'NodeNext',
  target: 'ES2022',
  lib: ['ES2024', 'DOM'],
  strict: true,
  exactOptionalPropertyTypes: true,
  types: [],
  outDir: 'out'
}

try {
  run('npm', ['pack', '--ignore-scripts', '--pack-destination', work], root)
  const tarball = join(work, readdirSync(work).find((name) => name.endsWith('.tgz')) ?? '')
  expect('publint', run(join(tools, 'publint'), ['--strict', tarball], root), /All good/i)
  expect('are the types wrong', wrongTypes(tarball), /^0 problems in [1-9]\d* entries$/)

  const app = join(work, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }))
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], app)
  writeFileSync(join(app, 'app.ts'), program)
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions: settings, files: ['app.ts'] }))
  run(join(tools, 'tsc'), ['--project', app], app)
  expect('types resolve and the library works', run('node', ['out/app.js'], app), /^$/)

  const trace = 'desktop-habits.wine-relay.log'
  copyFileSync(join(root, 'examples', trace), join(app, trace))
  expect('ceheap --version', run('npx', ['--no-install', 'ceheap', '--version'], app), /^\d+\.\d+\.\d+\n$/)
  expect('ceheap rules HA-2', run('npx', ['--no-install', 'ceheap', 'rules', 'HA-2'], app), /HA-2/)
  expect('ceheap conform --device', run('npx', ['--no-install', 'ceheap', 'conform', '--device'], app), /#include <windows\.h>/)
  expect('ceheap check', run('npx', ['--no-install', 'ceheap', 'check', trace], app, [0, 1]), /findings?/i)
} catch (error) {
  process.stderr.write(`FAIL ${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(work, { recursive: true })
}
