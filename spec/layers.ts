// The layers of CONTRIBUTING.md as data, and what a source text may not do in each. Pure functions over texts, so that the spec can
// plant an offender for every rule.
import { posix } from 'node:path'

/** Layers from the bottom up; what stands in one set may not import a sibling of the set, the data excepted. */
const data = ['constants', 'profile', 'errors', 'rules']
const layers = [
  data,
  ['machine'],
  ['heap'],
  ['coredll'],
  ['com', 'hosting'],
  ['trace'],
  ['collect'],
  ['stress', 'check', 'conform', 'mixed'],
  ['fuzz'],
  ['cli']
]
const core = [...data, 'machine', 'heap', 'coredll', 'com', 'hosting', 'index']

/** The largest source file, in bytes. */
export const sizeLimit = 15_360

/** Sources by path from the root with forward slashes: `src/heap/bins.ts`. */
export type Sources = ReadonlyMap<string, string>

const literalOrComment = /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
const imported = /\b(?:from|import)\s*\(?\s*(['"])([^'"\n]+)\1|\bnew\s+URL\(\s*(['"])(\.[^'"\n]+)\3\s*,\s*import\.meta\.url/g

const quoted = /'(?:[^'\\\n]|\\.)*'/g

/** The text without its comments; strings stay. */
function withoutComments(text: string): string {
  return text.replace(literalOrComment, (_, literal: string | undefined) => literal ?? ' ')
}

/** Every module that `text` names: static, dynamic and type imports, and files addressed relative to it (workers). */
export function importsOf(text: string): string[] {
  return [...withoutComments(text).matchAll(imported)].map((match) => match[2] ?? match[4] ?? '')
}

/** `src/heap/bins.ts` is in `heap`, `src/profile.ts` in `profile`, `src/index.ts` in `index`. */
function part(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '')
}

function rank(name: string): number {
  // The root entry offers the core and nothing else, so it sees what com and hosting see.
  return name === 'index' ? layers.findIndex((layer) => layer.includes('com')) : layers.findIndex((layer) => layer.includes(name))
}

function allowed(from: string, to: string): boolean {
  if (from === to || (data.includes(from) && data.includes(to))) return true
  return to !== 'index' && rank(to) < rank(from)
}

function sourcesOf(sources: Sources): [string, string][] {
  return [...sources].filter(([path]) => path.startsWith('src/'))
}

/** Imports that do not go downward, and folders that have no place in the layers. */
export function upwardImports(sources: Sources): string[] {
  const problems: string[] = []
  for (const [path, text] of sourcesOf(sources)) {
    const from = part(path)
    if (rank(from) < 0) problems.push(`${path}: "${from}" is not in the layers`)
    for (const name of importsOf(text)) {
      if (!name.startsWith('.') || name.endsWith('package.json')) continue
      const target = posix.join(posix.dirname(path), name)
      if (!target.startsWith('src/')) problems.push(`${path}: imports ${target}, outside src`)
      else if (!allowed(from, part(target))) problems.push(`${path}: "${from}" may not import "${part(target)}" (${name})`)
    }
  }
  return problems
}

/** Node modules and packages in the core, and the command's packages outside the command. */
export function foreignImports(sources: Sources): string[] {
  const problems: string[] = []
  for (const [path, text] of sourcesOf(sources)) {
    for (const name of importsOf(text)) {
      if (name.startsWith('.')) continue
      if (core.includes(part(path))) problems.push(`${path}: the core may not import ${name}`)
      else if (part(path) !== 'cli' && !name.startsWith('node:')) problems.push(`${path}: only cli may import the package ${name}`)
    }
  }
  return problems
}

/** Waiting and waking outside `src/machine/wait.ts`. */
export function strayWaits(sources: Sources): string[] {
  return sourcesOf(sources)
    .filter(([path]) => path !== 'src/machine/wait.ts')
    .filter(([, text]) => /\bAtomics\s*(?:\.\s*(?:wait|waitAsync|notify)\b|(?![\s.\w])|[^.\s])/.test(withoutComments(text)))
    .map(([path]) => `${path}: waits and wakes belong in src/machine/wait.ts (neither may Atomics be renamed)`)
}

/**
 * Clocks, random sources and the console in the core, which must answer the same on every run. `src/machine/wait.ts` may look at the
 * clock: where a thread may not park, it has to keep the bound of a wait itself.
 */
export function impurities(sources: Sources): string[] {
  const problems: string[] = []
  for (const [path, text] of sourcesOf(sources)) {
    if (!core.includes(part(path)) || data.includes(part(path))) continue
    // What a message quotes is not called.
    for (const [word] of withoutComments(text)
      .replace(quoted, "''")
      .matchAll(/\b(?:Date|performance|console|crypto)\s*\.|\bnew\s+Date\b|\bMath\s*\.\s*random\b/g)) {
      if (path === 'src/machine/wait.ts' && word.startsWith('performance')) continue
      problems.push(`${path}: ${word.trim()} makes a run depend on more than its calls`)
    }
  }
  return problems
}

/** Files above `sizeLimit`. */
export function oversized(sources: Sources): string[] {
  return [...sources]
    .map(([path, text]) => ({ path, size: new TextEncoder().encode(text).length }))
    .filter(({ size }) => size > sizeLimit)
    .map(({ path, size }) => `${path}: ${size} bytes, ${sizeLimit} at most`)
}
