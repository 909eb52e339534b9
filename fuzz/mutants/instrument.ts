import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Instrumenter } from '@stryker-mutator/instrumenter'

/** One mutant: a small change of the code that a test ought to notice. */
export interface Mutant {
  /** Its number in this build; another build may number otherwise. */
  readonly id: number
  readonly file: string
  readonly mutator: string
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly original: string
  readonly replacement: string
  /** The whole line that it begins in, and the function around it: what names it in a file that others go on editing. */
  readonly source: string
  readonly within: string
}

export interface Instrumented {
  readonly mutants: readonly Mutant[]
  /** The mutated text of each file. */
  readonly texts: ReadonlyMap<string, string>
}

/** What to mutate of a project. */
export interface Subject {
  /** The project's folder; all paths are below it, with forward slashes. */
  readonly root: string
  /** Folders whose code is mutated. */
  readonly folders: readonly string[]
  /** Files in them that are data. */
  readonly except: readonly string[]
}

/** What of ceheap is mutated. */
export const CEHEAP: Omit<Subject, 'root'> = {
  folders: ['src/heap', 'src/coredll'],
  // Its text is the compiled form of hot.as.
  except: ['src/heap/hotcode.ts']
}

const silent = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => true,
  isErrorEnabled: () => true,
  isFatalEnabled: () => true,
  trace() {},
  debug() {},
  info() {},
  warn: (text: string) => void process.stderr.write(`${text}\n`),
  error: (text: string) => void process.stderr.write(`${text}\n`),
  fatal: (text: string) => void process.stderr.write(`${text}\n`)
}

/** Where `line` stands: the nearest line above that opens a function, a method or a constant. */
function aroundOf(lines: readonly string[], line: number): string {
  for (let at = line; at > 0; at--) {
    const found =
      /^(?:export )?(?:async )?(?:function\*? |const |class )(\w+)|^ {2}(?:(?:static|async|get|set|override) )*\*?(#?\w+)(?:<.*>)?\(.*\{$/.exec(
        lines[at - 1] as string
      )
    if (found !== null && !/^ {2}(?:if|for|while|switch|catch)\b/.test(lines[at - 1] as string)) return (found[1] ?? found[2]) as string
  }
  return ''
}

/** The files that are mutated. */
function filesOf({ root, folders, except }: Subject): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    )
    .filter((name) => name.endsWith('.ts') && !except.includes(name))
    .sort()
}

/** The calls that Stryker plants, as plain comparisons of a number: the code stays nearly as fast as it was. */
function lean(text: string): string {
  return text
    .replaceAll(/stryMutAct_9fa48\("(\d+)"\)/g, '($M === $1 && $H())')
    .replaceAll(/stryCov_9fa48\(([^)]*)\)/g, (_, ids: string) => `($C && (${ids.replaceAll(/"(\d+)"/g, '$C($1)')}))`)
}

/** All mutants of the subject, and its code with all of them in it, each behind a switch of switch.ts. */
export async function instrument(subject: Subject): Promise<Instrumented> {
  const sources = new Map(filesOf(subject).map((name) => [name, readFileSync(join(subject.root, name), 'utf8')]))
  const instrumenter = new Instrumenter(silent as unknown as ConstructorParameters<typeof Instrumenter>[0])
  const { files, mutants } = await instrumenter.instrument(
    [...sources].map(([name, content]) => ({ name, content, mutate: true })),
    { excludedMutations: [], ignorers: [], plugins: [], noHeader: true }
  )
  const lines = new Map([...sources].map(([name, text]) => [name, text.split('\n')]))
  return {
    texts: new Map(
      files.map(({ name, content }) => [name, `// @ts-nocheck\nimport { $C, $H, $M } from 'ceheap-mutants/switch'\n${lean(content)}`])
    ),
    mutants: mutants.map(({ id, fileName, mutatorName, location: { start, end }, replacement }) => {
      const of = lines.get(fileName) as string[]
      const part = of.slice(start.line, end.line + 1)
      part[part.length - 1] = (part.at(-1) as string).slice(0, end.column)
      part[0] = (part[0] as string).slice(start.column)
      return {
        id: Number(id),
        file: fileName,
        mutator: mutatorName,
        line: start.line + 1,
        column: start.column + 1,
        original: part.join('\n'),
        replacement: replacement ?? '',
        source: (of[start.line] as string).trim(),
        within: aroundOf(of, start.line + 1)
      }
    })
  }
}
