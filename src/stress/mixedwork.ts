import { HEAP_SIZE_FAILED, LMEM_MOVEABLE, LMEM_ZEROINIT } from '../constants.ts'
import { must } from './heapwork.ts'
import { anySize, smallSize } from './sizes.ts'
import type { Workload } from './workload.ts'

interface Block {
  address: number
  bytes: number
}

/** Blocks that a thread holds at a time. */
const MOST = 24

export const mixed: Workload = {
  name: 'mixed',
  description: 'Local*, Global* and Heap* on the process heap, each freeing and resizing what the others allocated',
  run({ ce, random, more, cookie }) {
    const held: Block[] = []
    const heap = ce.GetProcessHeap()
    const allocate = [
      (bytes: number) => ce.LocalAlloc(random(2) * LMEM_ZEROINIT, bytes),
      (bytes: number) => ce.GlobalAlloc(0, bytes),
      (bytes: number) => ce.HeapAlloc(heap, 0, bytes)
    ]
    const resize = [
      (address: number, bytes: number) => ce.LocalReAlloc(address, bytes, LMEM_MOVEABLE),
      (address: number, bytes: number) => ce.GlobalReAlloc(address, bytes, LMEM_MOVEABLE),
      (address: number, bytes: number) => ce.HeapReAlloc(heap, 0, address, bytes)
    ]
    const free = [
      (address: number) => ce.LocalFree(address) === 0,
      (address: number) => ce.GlobalFree(address) === 0,
      (address: number) => ce.HeapFree(heap, 0, address) === 1
    ]
    const measure = [
      (address: number) => ce.LocalSize(address),
      (address: number) => ce.GlobalSize(address),
      (address: number) => ce.HeapSize(heap, 0, address)
    ]
    const some = <T>(choices: readonly T[]): T => choices[random(choices.length)] as T
    const drop = (): void => {
      const at = random(held.length)
      const { address, bytes } = held[at] as Block
      held[at] = held.at(-1) as Block
      held.pop()
      cookie.verify(address, bytes)
      must(some(free)(address), 'a live block could not be freed')
    }
    while (more()) {
      const choice = random(100)
      if (held.length === 0 || (choice < 45 && held.length < MOST)) {
        const bytes = anySize(random)
        const address = some(allocate)(bytes)
        if (address === 0) continue
        cookie.write(address, bytes)
        held.push({ address, bytes })
      } else if (choice < 75) drop()
      else if (choice < 92) {
        const block = some(held)
        const bytes = smallSize(random)
        const address = some(resize)(block.address, bytes)
        if (address === 0) continue
        cookie.verify(address, block.bytes, Math.min(block.bytes, bytes))
        cookie.write(address, bytes)
        Object.assign(block, { address, bytes })
      } else {
        const { address, bytes } = some(held)
        const size = some(measure)(address)
        must(size !== HEAP_SIZE_FAILED && size >= bytes, 'a live block is smaller than was asked for')
      }
    }
    while (held.length > 0) drop()
  }
}
