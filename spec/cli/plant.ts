// A fault in the built command, for `node --import`: LocalFree tells success and frees nothing. Worker threads get it too.
import type { createProcess } from '../../src/index.ts'

type Free = (hMem: number) => number

// The command's own copy of the emulator: what the specs are compiled with is another one.
const { createProcess: create } = (await import(new URL('../../../dist/index.js', import.meta.url).href)) as {
  createProcess: typeof createProcess
}
const process = create({ memory: 0x80000 })
process.close()
let owner: object = process.thread
while (!Object.hasOwn(owner, 'LocalFree')) owner = Object.getPrototypeOf(owner)
const good = (owner as { LocalFree: Free }).LocalFree
Object.defineProperty(owner, 'LocalFree', {
  value: function (this: { LocalSize: Free }, hMem: number) {
    return this.LocalSize(hMem) > 32 ? 0 : good.call(this, hMem)
  },
  configurable: true,
  writable: true
})
