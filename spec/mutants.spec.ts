// The tool of `npm run mutants` on a project of its own: what it says of mutants whose fate is known.
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Baseline, baseline } from '../fuzz/mutants/baseline.ts'
import { type Built, build, type Project } from '../fuzz/mutants/build.ts'
import { CEHEAP, instrument, type Mutant } from '../fuzz/mutants/instrument.ts'
import { Judge, type Verdict } from '../fuzz/mutants/judge.ts'
import { type Accepted, nameOf, type Result, Results, tableOf } from '../fuzz/mutants/results.ts'

const CODE = `export function larger(a: number, b: number): number {
  return a > b ? a : b
}

export function countTo(n: number): number {
  let count = 0
  while (count < n) count++
  return count
}

export function walkTo(n: number): number {
  const step = 0 + 1
  let at = 0
  while (at !== n) at += step
  return at
}

export function twice(n: number): number {
  return n * 2
}

export function never(): number {
  return 1 - 2
}
`
const WORKER = `import { parentPort, workerData } from 'node:worker_threads'
import { twice } from '../src/code.ts'
parentPort?.postMessage(twice(workerData))
`
const SPEC = `import { Worker } from 'node:worker_threads'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { countTo, larger, walkTo } from '../src/code.ts'

const code = suite('code')
code('the larger one', () => {
  assert.is(larger(1, 2), 2)
  assert.is(larger(2, 1), 2)
})
code('counts', () => assert.is(countTo(3), 3))
code('walks', () => assert.is(walkTo(3), 3))
code('twice, in a worker', async () => {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: 4 })
  assert.is(await new Promise((settle) => worker.once('message', settle)), 8)
})
code.run()
`
const BROKEN = `import { suite } from 'uvu'
const broken = suite('broken')
broken('fails without a mutant', () => { throw new Error('broken as it is') })
broken.run()
`

const root = mkdtempSync(join(tmpdir(), 'ceheap-mutants-spec-'))
const project: Project = { root, folders: ['src'], except: ['src/data.ts'], compiled: ['src', 'spec'], work: join(root, 'work') }

function plant(): void {
  for (const folder of ['src', 'spec']) mkdirSync(join(root, folder))
  const options = {
    module: 'NodeNext',
    target: 'ES2022',
    types: ['node'],
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: true
  }
  const files = {
    'tsconfig.json': JSON.stringify({ compilerOptions: options }),
    'package.json': '{"type":"module"}',
    'src/code.ts': CODE,
    'src/data.ts': 'export const data = 1 + 1\n',
    'spec/worker.ts': WORKER,
    'spec/code.spec.ts': SPEC,
    'spec/broken.spec.ts': BROKEN
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(root, 'node_modules'))
}

let built: Built
let base: Baseline
const fates = suite('mutants: what becomes of them')
fates.before(async () => {
  plant()
  built = await build(project)
  base = await baseline(project, built, ['spec/broken.spec', 'spec/code.spec'], 4000, 2, () => {})
})

function find(original: string, replacement: string): Mutant {
  const found = built.mutants.find((mutant) => mutant.original === original && mutant.replacement === replacement)
  if (found === undefined) throw new Error(`no mutant ${original} -> ${replacement}`)
  return found
}

async function fateOf(original: string, replacement: string): Promise<Verdict> {
  return await new Judge(project, built, base, 20_000).judge(find(original, replacement), {})
}

fates('a spec that fails without a mutant is left out, and it is said why', () => {
  assert.equal(Object.keys(base.leftOut), ['spec/broken.spec'])
  assert.match(base.leftOut['spec/broken.spec'] as string, /fails without a mutant: broken as it is/)
})
fates('data is not mutated', () => {
  assert.equal([...new Set(built.mutants.map(({ file }) => file))], ['src/code.ts'])
})
fates('killed: a test fails, and is named', async () => {
  const { status, by, message } = await fateOf('a > b', 'a <= b')
  assert.is(status, 'killed')
  assert.is(by, 'spec/code.spec: code › the larger one')
  assert.match(message, /Expected values to be strictly equal/)
})
fates('survived: no test can tell an equal change', async () => {
  const verdict = await fateOf('a > b', 'a >= b')
  assert.is(verdict.status, 'survived')
  assert.equal(Object.keys(verdict.asked), ['spec/code.spec'])
})
fates('timed out: a loop that passes the mutant without end', async () => {
  const { status, by } = await fateOf('count++', 'count--')
  assert.equal([status, by], ['timeout', 'spec/code.spec: code › counts'])
})
fates('timed out: a loop without end that passed the mutant once', async () => {
  const { status, by } = await fateOf('0 + 1', '0 - 1')
  assert.equal([status, by], ['timeout', 'spec/code.spec: code › walks'])
})
fates('killed in a worker thread', async () => {
  const { status, by } = await fateOf('n * 2', 'n / 2')
  assert.equal([status, by], ['killed', 'spec/code.spec: code › twice, in a worker'])
})
fates('not covered: no test reaches it', async () => {
  assert.is((await fateOf('1 - 2', '1 + 2')).status, 'uncovered')
})
fates('specs that were asked about a mutant are not asked again', () => {
  const judge = new Judge(project, built, base, 20_000)
  const mutant = find('a > b', 'a >= b')
  assert.ok(judge.hasMore(mutant, {}))
  assert.not(judge.hasMore(mutant, { 'spec/code.spec': built.specs['spec/code.spec'] as string }))
})
fates('tests that the budget or their length leaves out are counted', async () => {
  const long = { ...base, specs: base.specs.map((spec) => ({ ...spec, long: [0] })) }
  const verdict = await new Judge(project, built, long, 20_000).judge(find('a > b', 'a <= b'), {})
  assert.equal([verdict.status, verdict.unasked], ['survived', 1])
})
fates('the build is made once for the same code', async () => {
  assert.equal(await build(project), built)
})
fates.after(() => rmSync(root, { recursive: true }))
fates.run()

const kept = suite('mutants: results')
const result: Result = {
  ...{ id: 1, file: 'src/a.ts', mutator: 'EqualityOperator', line: 2, column: 5, original: 'a > b', replacement: 'a >= b' },
  ...{
    source: 'return a > b ? a : b',
    within: 'larger',
    status: 'survived',
    by: '',
    message: '',
    asked: {},
    unasked: 0,
    fileHash: 'f',
    hash: 'h'
  }
}
kept('go on where a run was cut off, even within a line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ceheap-mutants-spec-'))
  try {
    const path = join(folder, 'results.jsonl')
    new Results(path).add(result)
    appendFileSync(path, '{"id":2,"fi')
    const again = new Results(path)
    assert.equal(again.of(result, 'f'), result)
    assert.is(again.of(result, 'another'), undefined, 'of a file that has changed')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
kept('the score counts accepted survivors as not found, and once more without them; a moved line keeps its reason', () => {
  const killed: Result = { ...result, status: 'killed', replacement: 'a < b' }
  const table = tableOf(
    [result, killed, { ...result, replacement: 'true', status: 'uncovered' }],
    [{ ...result, line: 99, reason: 'equal' } as never]
  )
  assert.match(table, /src\/a\.ts:2:5 EqualityOperator \(accepted: equal\)\n {4}return a > b \? a : b\n {4}a > b {2}-> {2}a >= b/)
  assert.match(table, /src\/a\.ts +1 +0 +0 +1 +1 +33\.3 +50\.0/)
  assert.is.not(nameOf(result), nameOf(killed))
})
kept('each reason in accepted.json is that of a mutant there is, once, in the order of files', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const accepted = JSON.parse(readFileSync(join(root, 'fuzz/mutants/accepted.json'), 'utf8')) as Accepted[]
  const there = new Set((await instrument({ root, ...CEHEAP })).mutants.map(nameOf))
  assert.equal(
    accepted.filter((one) => !there.has(nameOf(one))).map(({ file, within, source }) => `${file} ${within}: ${source}`),
    []
  )
  assert.is(new Set(accepted.map(nameOf)).size, accepted.length)
  const files = accepted.map(({ file }) => file)
  assert.equal(files, [...files].sort())
})
kept.run()
