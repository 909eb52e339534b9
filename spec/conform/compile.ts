// Builds examples/conform-device.c for this machine, on a shim for windows.h, or for Windows, and finds a Wine that runs it.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
export const source: string = join(root, 'examples', 'conform-device.c')
const shim = join(root, 'spec', 'conform', 'shim')
const flags = ['-std=gnu89', '-Wall', '-Wextra', '-Werror', '-O2']

function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 60_000 }).status === 0
}

function build(compiler: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(compiler, args, { encoding: 'utf8', timeout: 60_000 })
  if (status !== 0) throw new Error(`${compiler} ${args.join(' ')}: ${error?.message ?? stderr}`)
}

/** The program on the shim, or undefined where no C compiler is. */
export function buildNative(folder: string): string | undefined {
  if (!runs('gcc', ['--version'])) return undefined
  const program = join(folder, 'conform-device')
  // The shim is C11; the program itself has to be what CE's old compilers take.
  build('gcc', [...flags, `-I${shim}`, '-c', '-o', join(folder, 'device.o'), source])
  build('gcc', ['-Wall', `-I${shim}`, '-pthread', '-o', program, join(folder, 'device.o'), join(shim, 'shim.c')])
  return program
}

export interface UnderWine {
  readonly command: string
  readonly bits: 32 | 64
}

/** The program under Wine, of 32 bits where that runs; else the reason why not. $WINE names another wine. */
export function buildForWine(folder: string): UnderWine | string {
  const tried: string[] = []
  const wines = process.env.WINE === undefined ? ['wine', 'wine64', '/usr/lib/wine/wine64'] : [process.env.WINE]
  for (const [bits, compiler] of [
    [32, 'i686-w64-mingw32-gcc'],
    [64, 'x86_64-w64-mingw32-gcc']
  ] as const) {
    if (!runs(compiler, ['--version'])) {
      tried.push(`no ${compiler}`)
      continue
    }
    const program = join(folder, `conform-device${bits}.exe`)
    // Below 4 GB also where pointers have 64 bits.
    build(compiler, [...flags, ...(bits === 64 ? ['-Wl,--image-base,0x400000,--disable-dynamicbase'] : []), '-o', program, source])
    for (const wine of wines) {
      // The first start makes Wine's folder.
      const { stdout } = spawnSync(wine, [program], {
        input: '{"ceheap":"conform","version":1}\n',
        encoding: 'utf8',
        timeout: 120_000,
        stdio: ['pipe', 'pipe', 'ignore']
      })
      if (stdout?.startsWith('{"ceheap":"conform"') === true) return { command: `${wine} ${program}`, bits }
    }
    tried.push(`no wine that runs ${bits} bits`)
  }
  return tried.join(', ')
}
