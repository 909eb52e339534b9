import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
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
  /** Tells apart builds of different code. */
  readonly hash: string
}

const here = fileURLToPath(new URL('.', import.meta.url))

function textsBelow(root: string, folders: readonly string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)))
    .filter((path) => statSync(path).isFile())
    .sort()
}

function hashOf({ root, compiled, folders, except }: Project): string {
  const hash = createHash('sha256').update(JSON.stringify([folders, except]))
  for (const path of [...textsBelow(root, compiled), ...['build.js', 'instrument.js', 'switch.js', 'uvu.js', 'child.js'].map((name) => here + name)])
    hash.update(path).update(readFileSync(path))
  return hash.digest('hex').slice(0, 16)
}

function writePackage(work: string, name: string, files: Readonly<Record<string, string>>, exports: Readonly<Record<string, string>>): void {
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
  const copies = ['switch.js', 'uvu.js', 'child.js'].map((name) => [name, readFileSync(here + name, 'utf8')] as const)
  writePackage(work, 'ceheap-mutants', Object.fromEntries(copies), { './switch': './switch.js' })
  for (const name of ['uvu', 'fast-check']) rmSync(join(work, 'node_modules', name), { force: true })
  const real = (name: string): string => JSON.stringify(import.meta.resolve(name))
  const uvu = { 'index.js': "export * from '../ceheap-mutants/uvu.js'", 'assert.js': `export * from ${real('uvu/assert')}` }
  writePackage(work, 'uvu', uvu, { '.': './index.js', './assert': './assert.js' })
  // Shrinking the counterexample is time lost on a mutant that is found out already.
  const check = `import fc from ${real('fast-check')}\nfc.configureGlobal({ endOnFailure: true })\nexport * from ${real('fast-check')}\nexport default fc\n`
  writePackage(work, 'fast-check', { 'index.js': check }, { '.': './index.js' })
}

function compile({ root, work, compiled }: Project): void {
  const config = {
    compilerOptions: {
      ...JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).compilerOptions,
      ...{ rootDir: '.', outDir: '../build', noCheck: true, isolatedDeclarations: false, declaration: false, sourceMap: false, inlineSources: false }
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
  const hash = hashOf(project)
  const list = join(work, 'mutants.json')
  const child = join(work, 'node_modules', 'ceheap-mutants', 'child.js')
  if (existsSync(list)) {
    const known = JSON.parse(readFileSync(list, 'utf8')) as { hash: string; mutants: Mutant[] }
    if (known.hash === hash) return { mutants: known.mutants, child, hash }
  }
  for (const name of existsSync(work) ? readdirSync(work) : []) if (!name.endsWith('.jsonl')) rmSync(join(work, name), { recursive: true })
  const { mutants, texts } = await instrument(project)
  for (const folder of compiled) cpSync(join(root, folder), join(work, 'ts', folder), { recursive: true })
  for (const [name, text] of texts) writeFileSync(join(work, 'ts', name), text)
  writeRuntime(project)
  for (const name of readdirSync(root)) {
    if (!['node_modules', 'build', 'dist', '.git'].includes(name)) symlinkSync(join(root, name), join(work, name))
  }
  compile(project)
  writeFileSync(list, JSON.stringify({ hash, mutants }))
  return { mutants, child, hash }
}

/** The address of a compiled spec. */
export function compiledSpec({ work }: Project, name: string): string {
  return resolve(work, 'build', `${name}.js`)
}

export const fileUrl = (path: string): string => pathToFileURL(path).href
