import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { subjectOf } from './session.ts'
import type { HeapUnderTest, SubjectOptions } from './subject.ts'

export interface SubjectMaker {
  make(): HeapUnderTest
  /** Whether each is a new one; else it is always the same. */
  readonly fresh: boolean
}

/**
 * Loads an implementation. A JavaScript module exports a function that makes one, which is called for each case, or the implementation itself; by
 * `default` or by names. A wasm module exports the functions and its `memory`; each case gets an instance of its own.
 */
export async function subjectMaker(path: string, options: SubjectOptions): Promise<SubjectMaker> {
  if (path.endsWith('.wasm')) return { make: wasmMaker(await readFile(path)), fresh: true }
  const module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
  const offered = 'default' in module ? module.default : module
  if (typeof offered === 'function') {
    const factory = offered as (options: SubjectOptions) => unknown
    return { make: () => subjectOf(factory(options)), fresh: true }
  }
  const subject = subjectOf(offered)
  return { make: () => subject, fresh: false }
}

function wasmMaker(bytes: Uint8Array): () => HeapUnderTest {
  const module = new WebAssembly.Module(bytes as BufferSource)
  const imports: Record<string, Record<string, unknown>> = {}
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    // A runtime's hooks for aborts and prints: an abort is told as what the call threw.
    if (kind === 'function') {
      imports[from] ??= {}
      imports[from][name] = (...args: unknown[]) => {
        throw new Error(`the module called its import ${from}.${name}(${args.join(', ')})`)
      }
    }
  }
  return () => {
    const { exports } = new WebAssembly.Instance(module, imports as WebAssembly.Imports)
    const { _initialize: start } = exports
    if (typeof start === 'function') start()
    return exports as unknown as HeapUnderTest
  }
}
