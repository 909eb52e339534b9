import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { instrument, type Mutant, type Subject } from './instrument.ts'

/** A project to mutate, and where its mutated build goes. */
export interface Project extends Subject {
  /** Everything that is compiled. */
  readonly compiled: readonly string[]
  readonly work: string
}

/** A mutated build. Beside it lie links to all else of the project, so that specs find what they read. */
export interface Built {
  readonly mutants: readonly Mutant[]
  readonly child: string
  /** Of the mutated code. */
  readonly hash: string
  /** Of each spec by name, the code included. */
  readonly specs: Readonly<Record<string, string>>
}

const here = fileURLToPath(new URL('.', import.meta.url))

function textsBelow(root: string, folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)))
    .filter((path) => statSync(path).isFile())
    .sort()
}

const runtime = ['switch.js', 'uvu.js', 'child.js']

function hashOf(paths: readonly string[], before: string): string {
  const hash = createHash('sha256').update(before)
  for (const path of paths) hash.update(path).update(readFileSync(path))
  return hash.digest('hex').slice(0, 16)
}

/** Of the code that is mutated and runs with it, and of what mutates it. */
function codeHash({ root, compiled, folders, except }: Project): string {
  const code = compiled.filter((folder) => folders.some((each) => each.startsWith(`${folder}/`)))
  const tools = ['build.js', 'instrument.js', ...runtime].map((name) => here + name)
  return hashOf([...textsBelow(root, code), ...tools], JSON.stringify([folders, except]))
}

/** Of each spec file with all that is no spec and that it may import: what one found out holds until this changes. */
function specHashes({ root, compiled }: Project, code: string): Record<string, string> {
  const texts = textsBelow(root, compiled)
  const isSpec = (path: string): boolean => path.endsWith('.spec.ts')
  const common = hashOf(
    texts.filter((path) => !isSpec(path) && path.includes('spec')),
    code
  )
  const named = texts
    .filter(isSpec)
    .map((path) => [path.slice(root.length).replaceAll('\\', '/').replace(/^\//, '').slice(0, -3), path] as const)
  return Object.fromEntries(named.map(([name, path]) => [name, hashOf([path], common)]))
}

function writePackage(
  work: string,
  name: string,
  files: Readonly<Record<string, string>>,
  exports: Readonly<Record<string, string>>
): void {
  const folder = join(work, 'node_modules', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, type: 'module', exports }))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
}

/** Puts the runner's own files where the mutated build finds them, in the place of uvu and around fast-check. */
function writeRuntime({ root, work }: Project): void {
  mkdirSync(join(work, 'node_modules'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(work, 'node_modules', name))
  }
  const copies = runtime.map((name) => [name, readFileSync(here + name, 'utf8')] as const)
  writePackage(work, 'ceheap-mutants', Object.fromEntries(copies), { './switch': './switch.js' })
  // No links: what is written in their place would land in the project.
  for (const name of ['uvu', 'fast-check']) rmSync(join(work, 'node_modules', name), { force: true })
  const real = (name: string): string => JSON.stringify(import.meta.resolve(name))
  const uvu = { 'index.js': "export * from '../ceheap-mutants/uvu.js'", 'assert.js': `export * from ${real('uvu/assert')}` }
  writePackage(work, 'uvu', uvu, { '.': './index.js', './assert': './assert.js' })
  writePackage(work, 'fast-check', { 'index.js': shortened(real('fast-check')) }, { '.': './index.js' })
}

/** fast-check with a quarter of the cases, but for specs that count them, and none shrunk: a counterexample need not be small, only found. */
function shortened(real: string): string {
  return `import fc from ${real}
export * from ${real}
fc.configureGlobal({ endOnFailure: true })
const fewer = process.env.MUTANT_CASES === 'all' ? (of) => of : (of) => ({ ...of, numRuns: Math.max(5, Math.ceil((of?.numRuns ?? 100) / 4)) })
export const check = (property, options) => fc.check(property, fewer(options))
export const assert = (property, options) => fc.assert(property, fewer(options))
export default { ...fc, check, assert }
`
}

function compile({ root, work, compiled }: Project): void {
  const config = {
    compilerOptions: {
      ...JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions,
      ...{
        rootDir: '.',
        outDir: '../build',
        noCheck: true,
        isolatedDeclarations: false,
        declaration: false,
        sourceMap: false,
        inlineSources: false
      }
    },
    include: compiled
  }
  writeFileSync(join(work, 'ts', 'tsconfig.json'), JSON.stringify(config))
  writeFileSync(join(work, 'ts', 'package.json'), '{"type":"module"}')
  const tsc = fileURLToPath(new URL('../bin/tsc', import.meta.resolve('typescript')))
  execFileSync(process.execPath, [existsSync(tsc) ? tsc : join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(work, 'ts')], {
    stdio: ['ignore', 'inherit', 'inherit']
  })
}

/** Builds the project with all its mutants in it, unless that was done for the same code. */
export async function build(project: Project): Promise<Built> {
  const { root, work, compiled } = project
  const hash = codeHash(project)
  const specs = specHashes(project, hash)
  const all = hashOf(textsBelow(root, compiled), hash)
  const list = join(work, 'mutants.json')
  const child = join(work, 'node_modules', 'ceheap-mutants', 'child.js')
  const known = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as { all: string; mutants: Mutant[] }) : undefined
  if (known?.all === all) return { mutants: known.mutants, child, hash, specs }
  // What was found out stays: it carries the hashes of the code that it is of.
  for (const name of existsSync(work) ? readdirSync(work) : []) if (!keeps.test(name)) rmSync(join(work, name), { recursive: true })
  const { mutants, texts } = await instrument(project)
  for (const folder of compiled) cpSync(join(root, folder), join(work, 'ts', folder), { recursive: true })
  for (const [name, text] of texts) writeFileSync(join(work, 'ts', name), text)
  writeRuntime(project)
  for (const name of readdirSync(root)) {
    if (!['node_modules', 'build', 'dist', '.git'].includes(name)) symlinkSync(join(root, name), join(work, name))
  }
  compile(project)
  writeFileSync(list, JSON.stringify({ all, mutants }))
  return { mutants, child, hash, specs }
}

const keeps = /\.jsonl$|^baseline\.json$/

/** The address of a compiled spec. */
export function compiledSpec({ work }: Project, name: string): string {
  return resolve(work, 'build', `${name}.js`)
}
