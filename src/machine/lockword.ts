/**
 * The two atomic steps of a lock word: compare-exchange in, exchange out. V8 calls a builtin for each Atomics operation but inlines
 * atomic instructions of wasm: through this module a pair costs less than half (bench `bare lock pair`), and every heap call makes one.
 */
export interface LockWord {
  /** Writes `who` to the word at byte `address` if it is 0; returns what was there. */
  take(address: number, who: number): number
  /** Writes 0 to the word at byte `address`; returns what was there. */
  give(address: number): number
}

/*
 * (module
 *   (import "m" "m" (memory 1 65536 shared))
 *   (func (export "take") (param i32 i32) (result i32) (i32.atomic.rmw.cmpxchg (local.get 0) (i32.const 0) (local.get 1)))
 *   (func (export "give") (param i32) (result i32) (i32.atomic.rmw.xchg (local.get 0) (i32.const 0))))
 */
// biome-ignore format: one section a line
const code: Uint8Array<ArrayBuffer> = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
  0x01, 0x0c, 0x02, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x01, 0x7f, 0x01, 0x7f,
  0x02, 0x0b, 0x01, 0x01, 0x6d, 0x01, 0x6d, 0x02, 0x03, 0x01, 0x80, 0x80, 0x04,
  0x03, 0x03, 0x02, 0x00, 0x01,
  0x07, 0x0f, 0x02, 0x04, 0x74, 0x61, 0x6b, 0x65, 0x00, 0x00, 0x04, 0x67, 0x69, 0x76, 0x65, 0x00, 0x01,
  0x0a, 0x19, 0x02,
  0x0c, 0x00, 0x20, 0x00, 0x41, 0x00, 0x20, 0x01, 0xfe, 0x48, 0x02, 0x00, 0x0b,
  0x0a, 0x00, 0x20, 0x00, 0x41, 0x00, 0xfe, 0x41, 0x02, 0x00, 0x0b
])

let compiled: WebAssembly.Module | undefined

/** The lock word of `memory`; by plain Atomics where wasm may not be compiled (a page's content security policy). */
export function lockWordOf(memory: WebAssembly.Memory): LockWord {
  try {
    compiled ??= new WebAssembly.Module(code)
    return new WebAssembly.Instance(compiled, { m: { m: memory } }).exports as unknown as LockWord
  } catch {
    return plainLockWord(new Int32Array(memory.buffer))
  }
}

export function plainLockWord(words: Int32Array): LockWord {
  return {
    take: (address, who) => Atomics.compareExchange(words, address >>> 2, 0, who),
    give: (address) => Atomics.exchange(words, address >>> 2, 0)
  }
}
