// A fault in the built command, for `node --import`: LocalAlloc forgets to zero, and so LMEM_ZEROINIT is no promise. Worker threads get it too.
import { createProcess } from '../../src/index.ts'

type Alloc = (flags: number, bytes: number) => number

// The command's own copy of the emulator: what the specs are compiled with is another one.
const { createProcess: create } = (await import(new URL('../../../dist/index.js', import.meta.url).href)) as {
  createProcess: typeof createProcess
}
const process = create({ memory: 0x80000 })
process.close()
let owner: object = process.thread
while (!Object.hasOwn(owner, 'LocalAlloc')) owner = Object.getPrototypeOf(owner)
const good = (owner as { LocalAlloc: Alloc }).LocalAlloc
Object.defineProperty(owner, 'LocalAlloc', {
  value: function (this: object, flags: number, bytes: number) {
    return good.call(this, flags & ~0x40, bytes)
  },
  configurable: true,
  writable: true
})
