// A heap in wasm that only ever goes upward: HeapCreate and HeapAlloc on a memory of its own. Written out by hand, so that no compiler is needed.

const text = (name: string): number[] => [name.length, ...Buffer.from(name)]
const section = (id: number, ...content: number[]): number[] => [id, content.length, ...content]
const I32 = 0x7f

const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const oneType = section(1, 1, 0x60, 3, I32, I32, I32, 1, I32)
const exported = section(7, 3, ...text('memory'), 2, 0, ...text('HeapCreate'), 0, 0, ...text('HeapAlloc'), 0, 1)
const create = [0x41, 0xf0, 0x00] // 112
const body = (code: number[]): number[] => [code.length + 2, 0, ...code, 0x0b]
// p = top; if (bytes >= 0x100000) return 0; top += (bytes + 31) & ~31; return p
const bump = [
  ...[0x20, 2, 0x41, 0x80, 0x80, 0xc0, 0x00, 0x4f, 0x04, 0x40, 0x41, 0, 0x0f, 0x0b],
  ...[0x23, 0, 0x23, 0, 0x20, 2, 0x41, 31, 0x6a, 0x41, 0x60, 0x71, 0x6a, 0x24, 0]
]

function heapModule(pages: number, alloc: number[]): Uint8Array {
  const top = [0x41, 0x80, 0x80, 0x04] // i32.const 0x10000
  return Uint8Array.from([
    ...head,
    ...oneType,
    ...section(3, 2, 0, 0),
    ...section(5, 1, 0, pages),
    ...section(6, 1, I32, 1, ...top, 0x0b),
    ...exported,
    ...section(10, 2, ...body(create), ...body(alloc))
  ])
}

/** The bytes of the module. */
export function bumpModule(): Uint8Array {
  return heapModule(64, bump)
}

/** The same on a memory of two pages that each HeapAlloc makes larger by one: the buffer that was read before is gone. */
export function growingModule(): Uint8Array {
  return heapModule(2, [0x41, 1, 0x40, 0, 0x1a, ...bump])
}

/** HeapAlloc is one instruction: unreachable. */
export function trapModule(): Uint8Array {
  return heapModule(64, [0x00])
}

/** It imports its memory, from a host that there is not. */
export function wantingModule(): Uint8Array {
  return Uint8Array.from([
    ...head,
    ...oneType,
    ...section(2, 1, ...text('env'), ...text('memory'), 2, 0, 1),
    ...section(3, 2, 0, 0),
    ...exported,
    ...section(10, 2, ...body(create), ...body([0x41, 0]))
  ])
}
