import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import asc from 'assemblyscript/asc'
import type { Subject } from './subjects.ts'

const source = `
export function alloc(size: usize): usize { return heap.alloc(size) }
export function realloc(ptr: usize, size: usize): usize { return heap.realloc(ptr, size) }
export function free(ptr: usize): void { heap.free(ptr) }
`

/** AssemblyScript's own heap (its TLSF, unlocked, unshared memory), compiled from three exported lines. */
export async function compileTlsf(more: readonly string[] = []): Promise<WebAssembly.Module> {
  const folder = mkdtempSync(join(tmpdir(), 'ceheap-tlsf-'))
  try {
    writeFileSync(join(folder, 'heap.ts'), source)
    const options = ['heap.ts', '--outFile', 'heap.wasm', '--runtime', 'minimal', '-O3', '--baseDir', folder, '--use', 'abort=', ...more]
    const { error, stderr } = await asc.main(options)
    if (error) throw new Error(`AssemblyScript did not compile the heap: ${stderr.toString()}`)
    return await WebAssembly.compile(readFileSync(join(folder, 'heap.wasm')))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same as the scenarios use it. */
export async function tlsfSubject(): Promise<Subject> {
  const { exports } = await WebAssembly.instantiate(await compileTlsf())
  const { alloc, realloc, free } = exports as unknown as Required<Pick<Subject, 'alloc' | 'realloc' | 'free'>>
  return { alloc, realloc, free }
}
