import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { foreignImports, importsOf, impurities, oversized, type Sources, sizeLimit, strayWaits, upwardImports } from './layers.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

function read(path: string): string {
  return readFileSync(root + path, 'utf8')
}

function sources(...folders: string[]): Sources {
  const files = new Map<string, string>()
  for (const folder of folders) {
    if (!existsSync(root + folder)) continue
    for (const name of readdirSync(root + folder, { recursive: true, encoding: 'utf8' })) {
      const path = `${folder}/${name.replaceAll('\\', '/')}`
      if (/\.[cm]?[jt]s$/.test(path)) files.set(path, read(path))
    }
  }
  return files
}

function planted(path: string, text: string): Sources {
  return new Map([[path, text]])
}

const all = sources('src', 'spec', 'fuzz', 'bench')

const layering = suite('package: the layers hold')
layering('imports go downward only', () => {
  assert.equal(upwardImports(all), [])
})
layering('the core imports no Node module and no package; only the command imports packages', () => {
  assert.equal(foreignImports(all), [])
})
layering('one module waits and wakes', () => {
  assert.equal(strayWaits(all), [])
})
layering('the core uses no clock, no random source and no console', () => {
  assert.equal(impurities(all), [])
})
layering('no source file is too large to read', () => {
  assert.equal(oversized(all), [])
})
layering.run()

const offenders = suite('package: an offender is seen')
offenders('an import of a higher layer', () => {
  for (const text of [
    "import { a } from '../coredll/thread.ts'",
    "import type { A } from '../coredll/thread.ts'",
    "export * from '../coredll/thread.ts'",
    "const a = await import('../coredll/thread.ts')",
    "new Worker(new URL('../coredll/worker.js', import.meta.url))",
    "import {\n  a\n} from '../coredll/thread.ts'"
  ]) {
    assert.equal(upwardImports(planted('src/heap/a.ts', text)).length, 1, text)
  }
})
offenders('an import of a sibling layer, of the root entry, of a spec', () => {
  for (const name of ['../stress/text.ts', '../index.ts', '../../spec/run.ts']) {
    assert.equal(upwardImports(planted('src/check/a.ts', `import '${name}'`)).length, 1, name)
  }
})
offenders('a folder outside the layers', () => {
  assert.equal(upwardImports(planted('src/util/a.ts', '')).length, 1)
})
offenders('an import downward, within a folder or between data is none', () => {
  const text = "import './b.ts'\nimport '../machine/a.ts'\nimport '../rules/index.ts'\n// import '../cli/main.ts'"
  assert.equal(upwardImports(planted('src/heap/a.ts', text)), [])
  assert.equal(upwardImports(planted('src/rules/a.ts', "import '../profile.ts'")), [])
  assert.equal(upwardImports(planted('src/index.ts', "export * from './coredll/thread.ts'")), [])
})
offenders('a Node module or a package where none may be', () => {
  assert.equal(foreignImports(planted('src/machine/a.ts', "import 'node:fs'")).length, 1)
  assert.equal(foreignImports(planted('src/index.ts', "import 'picocolors'")).length, 1)
  assert.equal(foreignImports(planted('src/trace/a.ts', "import 'picocolors'")).length, 1)
  assert.equal(foreignImports(planted('src/trace/a.ts', "import 'node:zlib'")), [])
  assert.equal(foreignImports(planted('src/cli/a.ts', "import 'picocolors'")), [])
})
offenders('a stray wait, under any spelling', () => {
  for (const text of [
    'Atomics.wait(a, 0, 0)',
    'Atomics\n  .notify(a, 0)',
    'Atomics.waitAsync(a, 0, 0)',
    'const A = Atomics',
    "Atomics['wait']",
    'f(Atomics)'
  ]) {
    assert.equal(strayWaits(planted('src/heap/a.ts', text)).length, 1, text)
  }
  assert.equal(strayWaits(planted('src/machine/wait.ts', 'Atomics.wait(a, 0, 0)')), [])
  assert.equal(strayWaits(planted('src/heap/a.ts', '// Atomics.wait\nAtomics.load(a, 0)\nAtomics\n  .compareExchange(a, 0, 0, 1)')), [])
})
offenders('a clock, a random source or the console in the core', () => {
  for (const text of ['Date.now()', 'new Date()', 'performance.now()', 'Math.random()', "console.log('')", 'crypto.getRandomValues(a)']) {
    assert.equal(impurities(planted('src/coredll/a.ts', text)).length, 1, text)
  }
  const quoted = "misuse('() => performance.now()')"
  assert.equal(impurities(planted('src/coredll/a.ts', quoted)), [], 'what a message quotes is not called')
  assert.equal(impurities(planted('src/coredll/a.ts', `${quoted}; performance.now()`)).length, 1)
  assert.equal(impurities(planted('src/stress/a.ts', 'performance.now()')), [])
  assert.equal(impurities(planted('src/machine/wait.ts', 'performance.now()')), [])
  assert.equal(impurities(planted('src/machine/wait.ts', 'Date.now()')).length, 1)
})
offenders('a file one byte too large, in bytes and not in characters', () => {
  assert.equal(oversized(planted('src/a.ts', 'a'.repeat(sizeLimit))), [])
  assert.equal(oversized(planted('src/a.ts', `${'a'.repeat(sizeLimit - 1)}é`)).length, 1)
})
offenders('imports are found whatever quotes and comments surround them', () => {
  assert.equal(importsOf('import a from "./a.ts" // from \'./b.ts\'\n/* import "./c.ts" */ import \'./d.ts\''), ['./a.ts', './d.ts'])
})
offenders.run()

interface Manifest {
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly bin: { readonly ceheap: string }
  readonly dependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(read('package.json')) as Manifest
const shipped = suite('package: what is shipped')
shipped('every export and every command names a file that the build makes', () => {
  const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
  for (const target of [...targets, ...Object.values(manifest.bin)]) assert.ok(existsSync(root + target), target)
})
shipped('the command is executable', () => {
  assert.match(read(manifest.bin.ceheap), /^#!\/usr\/bin\/env node\n(?!#!)/)
  if (process.platform !== 'win32') assert.ok((statSync(root + manifest.bin.ceheap).mode & 0o111) === 0o111)
})
shipped('no library entry reaches a package at run time', () => {
  const seen = new Set<string>()
  const packages: string[] = []
  function visit(path: string): void {
    if (seen.has(path)) return
    seen.add(path)
    for (const name of importsOf(read(path))) {
      if (name.startsWith('./')) visit(`dist/${name.slice(2)}`)
      else if (!name.startsWith('node:')) packages.push(`${path}: ${name}`)
    }
  }
  const entries = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [] : [target.default ?? '']))
  assert.ok(entries.length >= 9, entries.join())
  // What an entry starts as a worker or a process, by an address and not by an import.
  const started = ['stresslead', 'stressworker', 'conformhost'].map((name) => `./dist/${name}.js`)
  for (const entry of [...entries, ...started]) visit(entry.replace('./', ''))
  assert.equal(packages, [])
  assert.equal(Object.keys(manifest.dependencies).sort(), ['cli-progress', 'commander', 'picocolors'])
})
shipped('source maps lead to the TypeScript, and carry it', () => {
  const map = JSON.parse(read('dist/cli.js.map')) as { sources: string[]; sourcesContent: string[] }
  assert.ok(map.sources.includes('../src/cli/main.ts'), map.sources.join())
  assert.is(map.sourcesContent[map.sources.indexOf('../src/cli/main.ts')], read('src/cli/main.ts'))
})
shipped('the lock file names no host', () => {
  assert.not.match(read('package-lock.json'), /"resolved": "(?!file:)/)
})
shipped.run()
