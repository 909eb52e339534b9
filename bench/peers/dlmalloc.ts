// Doug Lea's allocator in wasm, as emnapi's package has it compiled; linked here, so it needs LLVM's wasm-ld.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { HeapUnderTest } from '../../src/conform/index.ts'
import { type Allocator, shimOf } from './shim.ts'

const linkers = ['wasm-ld-19', 'wasm-ld']
const exported = ['malloc', 'realloc', 'free', 'malloc_usable_size']

/** The linker of this machine, or undefined where there is none. */
export function wasmLinker(): string | undefined {
  return linkers.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

function link(): WebAssembly.Module {
  const linker = wasmLinker()
  if (linker === undefined) throw new Error(`expected one of ${linkers.join(', ')}: .ci/install gets it (Debian package "lld-19")`)
  const library = join(dirname(createRequire(import.meta.url).resolve('emnapi/package.json')), 'lib', 'wasm32', 'libdlmalloc.a')
  const folder = mkdtempSync(join(tmpdir(), 'ceheap-dlmalloc-'))
  try {
    const out = join(folder, 'dlmalloc.wasm')
    const memory = ['--initial-memory=131072', '--max-memory=4194304']
    const { status, stderr } = spawnSync(linker, [
      '--no-entry',
      ...exported.map((name) => `--export=${name}`),
      ...memory,
      library,
      '-o',
      out
    ])
    if (status !== 0) throw new Error(`${linker} did not link ${library}: ${stderr}`)
    return new WebAssembly.Module(readFileSync(out))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

type Exports = Omit<Required<Allocator>, 'usable' | 'buffer'> & {
  readonly malloc_usable_size: (block: number) => number
  readonly memory: WebAssembly.Memory
}

let linked: WebAssembly.Module | undefined

export default function dlmalloc(): HeapUnderTest {
  linked ??= link()
  const { malloc, realloc, free, malloc_usable_size: usable, memory } = new WebAssembly.Instance(linked).exports as unknown as Exports
  return shimOf({ malloc, realloc, free, usable, buffer: () => memory.buffer })
}
