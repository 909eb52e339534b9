import * as assert from 'uvu/assert'
import { HEAP_REALLOC_IN_PLACE_ONLY, HEAP_SHARED_READONLY, HEAP_ZERO_MEMORY } from '../../src/index.ts'
import { type Command, MEMORY, type Pick } from './commands.ts'
import { type Given, Model } from './model.ts'
import { heapOf, open, type Place, type World } from './world.ts'

/** Live bytes above which a request is made small, so that memory is never short. */
const PLENTY = 5 * 1024 * 1024
const MOST_HEAPS = 6

/** The emulator and the model side by side. */
export class Pair {
  readonly world: World
  readonly model: Model
  /** Handles and pointers that were good once. */
  readonly #dead: number[] = [0, 0xffffffff, 0x40002]
  readonly #stale: number[] = []
  /** What was written into each live block. */
  readonly #marks: Map<number, number> = new Map()
  #next = 0

  constructor(place: Place) {
    this.world = open(place, { memory: MEMORY })
    const regions = (handle: number): readonly { address: number; size: number }[] => heapOf(this.world, handle).regions
    this.model = new Model(this.world.profile, this.world.debug, MEMORY, this.world.heap, regions)
  }

  run(command: Command): void {
    const { ce } = this.world
    const { model } = this
    switch (command.do) {
      case 'HeapCreate': {
        const { initial, maximum, shared } = command
        const possible = Math.max(initial, maximum) < MEMORY && (maximum === 0 || initial <= maximum)
        if (shared) model.sharedReadonly(this.#given(ce.HeapCreate(HEAP_SHARED_READONLY, initial, maximum)))
        else if (!possible || model.heaps.length <= MOST_HEAPS)
          model.heapCreate(initial, maximum, this.#given(ce.HeapCreate(0, initial, maximum)))
        break
      }
      case 'HeapDestroy': {
        const handle = this.#handle(command.heap)
        const blocks = model.heaps.find((one) => one.handle === handle)?.blocks
        if (handle !== this.world.heap && blocks !== undefined) {
          this.#dead.push(handle)
          for (const address of blocks.keys()) this.#forget(address)
        }
        model.heapDestroy(handle, this.#given(ce.HeapDestroy(handle)))
        break
      }
      case 'HeapCompact': {
        const handle = this.#handle(command.heap)
        model.heapCompact(handle, this.#given(ce.HeapCompact(handle, 0)))
        break
      }
      case 'HeapAlloc':
        this.#alloc(this.#handle(command.heap), command.bytes, command.flags)
        break
      case 'fill': {
        const handle = this.#handle(command.heap)
        const largest = model.heaps.some((one) => one.handle === handle) ? heapOf(this.world, handle).largestFree : 0
        this.#alloc(handle, Math.max(0, largest - (this.world.debug ? 32 : 0) + command.more), 0)
        break
      }
      case 'HeapReAlloc': {
        const handle = this.#handle(command.heap)
        const pointer = this.#pointer(command.pointer, handle)
        const inPlace = (command.flags & HEAP_REALLOC_IN_PLACE_ONLY) !== 0
        const bytes = this.#bytes(command.bytes)
        this.#resize(pointer, bytes, (command.flags & HEAP_ZERO_MEMORY) !== 0, handle, () => {
          const given = this.#given(ce.HeapReAlloc(handle, command.flags, pointer, bytes))
          model.heapReAlloc(handle, inPlace, pointer, bytes, given)
          return given.result
        })
        break
      }
      case 'HeapFree': {
        const handle = this.#handle(command.heap)
        const pointer = this.#pointer(command.pointer, handle)
        const given = this.#given(ce.HeapFree(handle, 0, pointer))
        model.heapFree(handle, pointer, given)
        if (given.result === 1) this.#forget(pointer)
        break
      }
      case 'HeapSize': {
        const handle = this.#handle(command.heap)
        const pointer = this.#pointer(command.pointer, handle)
        model.heapSize(handle, pointer, this.#given(ce.HeapSize(handle, 0, pointer)))
        break
      }
      case 'HeapValidate': {
        const handle = this.#handle(command.heap)
        const pointer = this.#pointer(command.pointer, handle)
        model.heapValidate(handle, pointer, this.#given(ce.HeapValidate(handle, 0, pointer)))
        break
      }
      case 'LocalAlloc': {
        const bytes = this.#bytes(command.bytes)
        const given = this.#given(ce.LocalAlloc(0, bytes))
        model.localAlloc(bytes, given)
        this.#mark(given.result, bytes)
        break
      }
      case 'LocalReAlloc': {
        const { flags } = command
        const handle = this.#pointer(command.pointer, this.world.heap)
        const modify = (flags & 0x80) !== 0
        const bytes = modify ? command.bytes : this.#bytes(command.bytes)
        this.#resize(handle, modify ? this.#old(handle) : bytes, (flags & 0x40) !== 0, this.world.heap, () => {
          const given = this.#given(ce.LocalReAlloc(handle, bytes, flags))
          model.localReAlloc(handle, bytes, (flags & 2) !== 0, modify, given)
          return given.result
        })
        break
      }
      case 'LocalFree': {
        const handle = this.#pointer(command.pointer, this.world.heap)
        const given = this.#given(ce.LocalFree(handle))
        model.localFree(handle, given)
        if (given.result === 0 && handle !== 0) this.#forget(handle)
        break
      }
      case 'LocalSize': {
        const handle = this.#pointer(command.pointer, this.world.heap)
        model.localSize(handle, this.#given(ce.LocalSize(handle)))
        break
      }
      case 'SetLastError':
        ce.SetLastError(command.code)
        model.setLastError(command.code, this.#given(0))
    }
  }

  /** Heaps, blocks and their sizes are those of the model, their contents are what was written, and every invariant holds. */
  agree(): void {
    const { process } = this.world
    process.check()
    const there = process.snapshot().heaps.map(({ handle, blocks }) => ({
      handle,
      blocks: blocks
        .filter(({ state }) => state === 'live' || state === 'big')
        .map(({ address, requested }) => [address, requested])
        .sort(([a = 0], [b = 0]) => a - b)
    }))
    const expected = this.model.heaps.map(({ handle, blocks }) => ({
      handle,
      blocks: [...blocks.values()].map(({ address, bytes }) => [address, bytes]).sort(([a = 0], [b = 0]) => a - b)
    }))
    const byHandle = (a: { handle: number }, b: { handle: number }): number => a.handle - b.handle
    assert.equal(there.sort(byHandle), expected.sort(byHandle))
    for (const { blocks } of this.model.heaps) for (const { address, bytes } of blocks.values()) this.#kept(address, bytes)
  }

  #given(result: number): Given {
    return { result, lastError: this.world.ce.GetLastError() }
  }

  /** A live heap, or now and then a handle of none. */
  #handle(at: number): number {
    const { heaps } = this.model
    if (at > 36) return this.#dead[(at * 7 + this.#dead.length) % this.#dead.length] as number
    return heaps[at % heaps.length]?.handle ?? 0
  }

  #pointer({ kind, at }: Pick, handle: number): number {
    const { heaps } = this.model
    const own = [...(heaps.find((one) => one.handle === handle)?.blocks.keys() ?? [])]
    const others = heaps.filter((one) => one.handle !== handle).flatMap(({ blocks }) => [...blocks.keys()])
    const one = (list: readonly number[]): number => list[at % list.length] ?? at
    switch (kind) {
      case 'live':
        return one(own)
      case 'other':
        return one(others)
      case 'stale':
        return one(this.#stale)
      case 'inside':
        return one(own) + 32
      case 'misaligned':
        return one(own) + 1 + (at % 31)
      case 'null':
        return 0
      case 'handle':
        return handle
      case 'wild':
        return at
    }
  }

  /** The size asked for, small where much is live already. */
  #bytes(wanted: number): number {
    return wanted < MEMORY && this.model.liveBytes + wanted > PLENTY ? wanted % 2048 : wanted
  }

  #old(address: number): number {
    return this.model.heaps.find(({ blocks }) => blocks.has(address))?.blocks.get(address)?.bytes ?? 0
  }

  #alloc(handle: number, wanted: number, flags: number): void {
    const bytes = this.#bytes(wanted)
    const given = this.#given(this.world.ce.HeapAlloc(handle, flags, bytes))
    this.model.heapAlloc(handle, bytes, given)
    if ((flags & HEAP_ZERO_MEMORY) !== 0) this.#zero(given.result, 0, bytes)
    this.#mark(given.result, bytes)
  }

  /** Resizes to `bytes` by `call`, which gives the new address or 0, and looks after the contents. */
  #resize(pointer: number, bytes: number, zero: boolean, handle: number, call: () => number): void {
    const old = this.model.heaps.find((one) => one.handle === handle)?.blocks.get(pointer)?.bytes
    const moved = call()
    if (old === undefined) return
    if (moved === 0) {
      this.#kept(pointer, old)
      return
    }
    const mark = this.#marks.get(pointer) ?? 0
    if (moved !== pointer) {
      this.#stale.push(pointer)
      this.#marks.delete(pointer)
      this.#marks.set(moved, mark)
    }
    this.#kept(moved, Math.min(old, bytes), old)
    if (zero && bytes > this.model.sizeOf(old)) this.#zero(moved, this.model.sizeOf(old), bytes)
    this.#mark(moved, bytes)
  }

  #forget(address: number): void {
    this.#stale.push(address)
    if (this.#stale.length > 50) this.#stale.shift()
    this.#marks.delete(address)
  }

  /** Writes the first bytes of a block and its last one. */
  #mark(address: number, bytes: number): void {
    if (address === 0) return
    this.#next = (this.#next % 250) + 1
    this.#marks.set(address, this.#next)
    const { memory } = this.world.ce
    memory.fill(address, this.#next, Math.min(bytes, 64))
    if (bytes > 64) memory.writeU8(address + bytes - 1, this.#next)
  }

  /** The bytes written to a block, `bytes` of which are still its own after it had `old`. */
  #kept(address: number, bytes: number, old: number = bytes): void {
    const { memory } = this.world.ce
    const mark = this.#marks.get(address)
    const first = memory.read(address, Math.min(bytes, 64))
    assert.ok(
      first.every((byte) => byte === mark),
      `the contents of the block at ${address}`
    )
    if (old > 64 && bytes === old) assert.is(memory.readU8(address + bytes - 1), mark)
  }

  #zero(address: number, from: number, end: number): void {
    if (address === 0) return
    for (const at of [from, from + 1, from + 33, (from + end) >>> 1, end - 1]) {
      if (at >= from && at < end) assert.is(this.world.ce.memory.readU8(address + at), 0, `byte ${at} of the block at ${address}`)
    }
  }
}
