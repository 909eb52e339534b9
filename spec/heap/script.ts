// A fixed sequence of calls, for specs of determinism. As a program it prints what the sequence gives: node script.js PLACEMENT BUILD
import { pathToFileURL } from 'node:url'
import { type Build, createProcess, HEAP_REALLOC_IN_PLACE_ONLY, HEAP_ZERO_MEMORY, type Placement } from '../../src/index.ts'

/** Runs 6,000 calls and returns the image with a digest of all results. */
export function script(placement: Placement, build: Build): string {
  const emulated = createProcess({ placement, build, memory: 4 * 1024 * 1024, physical: 2 * 1024 * 1024 })
  const ce = emulated.thread
  const heaps = [ce.GetProcessHeap(), ce.HeapCreate(0, 0, 0x40000), ce.HeapCreate(0, 0, 0)]
  const live: { heap: number; p: number }[] = []
  let state = 12345
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  let digest = 0
  const note = (result: number): number => {
    digest = (Math.imul(digest, 31) + result) | 0
    return result
  }
  for (let n = 0; n < 6000; n++) {
    const heap = heaps[random(3)] as number
    const bytes = random(50) === 0 ? random(200_000) : random(1 << (4 + random(8)))
    const at = random(live.length + 40)
    const block = live[at]
    if (block === undefined) {
      const p = note(ce.HeapAlloc(heap, random(2) * HEAP_ZERO_MEMORY, bytes))
      if (p !== 0) live.push({ heap, p })
      if (p !== 0) ce.memory.bytes[p] = n
    } else if (random(3) > 0) {
      note(ce.HeapFree(block.heap, 0, block.p))
      live.splice(at, 1)
    } else {
      const p = note(ce.HeapReAlloc(block.heap, random(2) * HEAP_REALLOC_IN_PLACE_ONLY, block.p, bytes))
      if (p !== 0) block.p = p
    }
    if (n % 1000 === 999) note(ce.HeapCompact(heap, 0))
  }
  emulated.check()
  return `${emulated.imageHash()} ${digest}`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(script(process.argv[2] as Placement, process.argv[3] as Build))
}
