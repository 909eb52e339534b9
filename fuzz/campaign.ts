import {
  type CallRecord,
  type CeProcess,
  type CeThread,
  createProcess,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  HEAP_REALLOC_IN_PLACE_ONLY,
  HEAP_ZERO_MEMORY,
  MEM_RELEASE,
  MEM_RESERVE,
  PAGE_READWRITE
} from '../src/index.ts'
import type { BadCall, BadPointer, Case, Command, Setup } from './commands.ts'
import { fault, type Held, Ledger } from './ledger.ts'
import { whyNot } from './room.ts'

const UNIT = 0x10000
/** A last error that no call sets. */
const UNTOUCHED = 0xabcd

/** Runs one case; returns the number of API calls. Throws what went wrong, with the calls that led there. */
export function runCase({ setup, commands }: Case): number {
  const run = new Run(setup)
  const calls: CallRecord[] = []
  run.process.record({ write: (call) => calls.push(call) })
  try {
    commands.forEach((command, n) => {
      run.step(command)
      if (n % 5 === 4) run.process.check()
    })
    run.finish()
  } catch (error) {
    const told = calls
      .filter(({ call }) => call !== 'SetLastError' && call !== 'GetLastError')
      .slice(-40)
      .map(
        ({ call, args, result }) => `  ${call}(${args.map((arg) => `0x${arg.toString(16)}`).join(', ')}) = 0x${(result ?? 0).toString(16)}`
      )
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n\n  the last calls:\n${told.join('\n')}`, { cause: error })
  }
  return calls.length
}

class Run {
  readonly process: CeProcess
  readonly #ce: CeThread
  readonly #ledger: Ledger
  readonly #heaps: number[]
  readonly #freed: number[] = []
  readonly #pages: number[] = []
  readonly #guard: number

  constructor({ profile, build, placement, units, physicalPages, dirty }: Setup) {
    const memory = dirty ? new SharedArrayBuffer(units * UNIT) : units * UNIT
    if (typeof memory === 'object') new Uint8Array(memory).fill(0xa5)
    this.process = createProcess({ profile, build, placement, memory, physical: physicalPages * 4096 })
    this.#ce = this.process.thread
    this.#guard = build === 'debug' ? 32 : 0
    this.#ledger = new Ledger(this.#ce, build === 'debug')
    this.#heaps = [this.#ce.GetProcessHeap()]
  }

  step(command: Command): void {
    if (command.do === 'create') this.#create(command.initial, command.maximum)
    else if (command.do === 'destroy') this.#destroy(this.#heap(command.heap))
    else if (command.do === 'alloc') this.#alloc(this.#heap(command.heap), command.bytes, command.zero)
    else if (command.do === 'compact') this.#compact(this.#heap(command.heap))
    else if (command.do === 'pages') this.#reserve(command.units)
    else if (command.do === 'verify') this.#verify()
    else this.#onBlock(command)
  }

  /** Everything is as the app left it, and freeing everything leaves one free block a region. */
  finish(): void {
    this.#verify()
    for (const block of [...this.#ledger.blocks]) this.#free(block)
    this.process.check()
    for (const { regions, blocks, liveBlocks, liveBytes } of this.process.snapshot().heaps) {
      const free = blocks.filter(({ state }) => state === 'free').length
      if (liveBlocks !== 0 || liveBytes !== 0 || free !== regions.length)
        throw fault(`${liveBlocks} blocks left, ${free} free ones in ${regions.length} regions`)
    }
    for (const heap of this.#heaps.slice(1)) this.#destroy(heap)
    this.process.check()
    const { heaps, committed } = this.process.snapshot()
    if (heaps.length !== 1 || committed !== heaps[0]?.committed) throw fault(`${heaps.length} heaps and ${committed} committed bytes left`)
  }

  #heap(n: number): number {
    return this.#heaps[n % this.#heaps.length] as number
  }

  #onBlock(command: Extract<Command, { block: number }>): void {
    const block = this.#ledger.blocks[command.block % Math.max(1, this.#ledger.blocks.length)]
    if (block === undefined) return
    if (command.do === 'free') this.#free(block)
    else if (command.do === 'resize') this.#resize(block, command.bytes, command.zero, command.stay)
    else this.#badPointer(this.#heap(command.heap), block, command.how, command.call)
  }

  /** Makes a call of which failure must change nothing but the last error. */
  #attempt(call: () => number, failure: number): { result: number; error: number } {
    this.#ce.SetLastError(UNTOUCHED)
    const before = this.process.imageHash()
    const result = call()
    const error = this.#ce.GetLastError()
    if (result === failure) {
      this.#ce.SetLastError(UNTOUCHED)
      if (this.process.imageHash() !== before) throw fault('a call that failed changed the process')
    }
    return { result, error }
  }

  #create(initial: number, maximum: number): void {
    const { result, error } = this.#attempt(() => this.#ce.HeapCreate(0, initial, maximum), 0)
    if (result !== 0) this.#heaps.push(result)
    else {
      const expected = maximum !== 0 && initial > maximum ? ERROR_INVALID_PARAMETER : ERROR_NOT_ENOUGH_MEMORY
      if (error !== expected) throw fault(`HeapCreate failed with error ${error}, expected ${expected}`)
    }
  }

  #destroy(heap: number): void {
    const isProcessHeap = heap === this.#ce.GetProcessHeap()
    const { result } = this.#attempt(() => this.#ce.HeapDestroy(heap), 0)
    if (result !== (isProcessHeap ? 0 : 1)) throw fault(`HeapDestroy gave ${result}`)
    if (isProcessHeap) return
    this.#heaps.splice(this.#heaps.indexOf(heap), 1)
    this.#ledger.drop(heap)
  }

  #alloc(heap: number, bytes: number, zero: boolean): void {
    const { result, error } = this.#attempt(() => this.#ce.HeapAlloc(heap, zero ? HEAP_ZERO_MEMORY : 0, bytes), 0)
    if (result !== 0) {
      this.#ledger.add(heap, result, bytes, zero)
      return
    }
    this.#justified(heap, bytes)
    const expected = this.process.profile.allocSetsError ? ERROR_NOT_ENOUGH_MEMORY : UNTOUCHED
    if (error !== expected) throw fault(`HeapAlloc failed with error ${error}, expected ${expected}`)
  }

  #justified(heap: number, bytes: number): void {
    const snapshot = this.process.snapshot()
    if (whyNot({ snapshot, heap, bytes, bigBlock: this.process.profile.bigBlock, guard: this.#guard }) !== undefined) return
    throw fault(`${bytes} bytes were refused although there is room`)
  }

  #free(block: Held): void {
    this.#ledger.take(block)
    if (this.#ce.HeapFree(block.heap, 0, block.address) !== 1) throw fault(`HeapFree of a live block failed`)
    this.#freed.push(block.address)
  }

  #resize(block: Held, bytes: number, zero: boolean, stay: boolean): void {
    const flags = (zero ? HEAP_ZERO_MEMORY : 0) | (stay ? HEAP_REALLOC_IN_PLACE_ONLY : 0)
    const { result, error } = this.#attempt(() => this.#ce.HeapReAlloc(block.heap, flags, block.address, bytes), 0)
    if (result !== 0) {
      if (stay && result !== block.address) throw fault('a block moved although it must not')
      if (result !== block.address) this.#freed.push(block.address)
      this.#ledger.resized(block, result, bytes, zero)
      return
    }
    if (error !== ERROR_NOT_ENOUGH_MEMORY) throw fault(`HeapReAlloc failed with error ${error}`)
    if (bytes <= block.requested) throw fault('a block could not shrink')
    if (!stay) this.#justified(block.heap, bytes)
    this.#ledger.verify(block, block.capacity)
  }

  #badPointer(heap: number, block: Held, how: BadPointer, call: BadCall): void {
    const wrong = this.#wrong(heap, block, how)
    if (wrong === undefined) return
    const { pointer, owner } = wrong
    const ce = this.#ce
    const calls: Record<BadCall, () => number> = {
      HeapFree: () => ce.HeapFree(owner, 0, pointer),
      HeapReAlloc: () => ce.HeapReAlloc(owner, 0, pointer, 100),
      HeapSize: () => ce.HeapSize(owner, 0, pointer),
      HeapValidate: () => (pointer === 0 ? 0 : ce.HeapValidate(owner, 0, pointer))
    }
    const failure = call === 'HeapSize' ? 0xffffffff : 0
    const { result, error } = this.#attempt(calls[call], failure)
    if (result !== failure) throw fault(`${call} of a pointer that is ${how} gave ${result}`)
    const expected = call === 'HeapSize' || call === 'HeapValidate' ? UNTOUCHED : ERROR_INVALID_PARAMETER
    if (error !== expected) throw fault(`${call} of a pointer that is ${how} set error ${error}, expected ${expected}`)
  }

  #wrong(heap: number, block: Held, how: BadPointer): { pointer: number; owner: number } | undefined {
    const live = (pointer: number): boolean => this.#ledger.blocks.some(({ address }) => address === pointer)
    const at = (pointer: number): { pointer: number; owner: number } | undefined =>
      live(pointer) ? undefined : { pointer, owner: block.heap }
    if (how === 'interior') return at(block.address + Math.max(1, Math.floor(block.capacity / 2)))
    if (how === 'past the end') return at(block.address + Math.max(32, Math.ceil(block.capacity / 32) * 32))
    if (how === 'other heap') return heap === block.heap ? undefined : { pointer: block.address, owner: heap }
    if (how === 'freed') return at(this.#freed.at(-1) ?? 1)
    return at(how === 'null' ? 0 : 0xfffffff0)
  }

  #compact(heap: number): void {
    const before = this.process.snapshot()
    this.#ce.SetLastError(UNTOUCHED)
    const largest = this.#ce.HeapCompact(heap, 0)
    const error = this.#ce.GetLastError()
    const info = before.heaps.find(({ handle }) => handle === heap)
    if (largest > (info?.largestFree ?? 0))
      throw fault(`HeapCompact tells ${largest} bytes, the largest free block has ${info?.largestFree}`)
    if ((largest === 0) !== (error === 0) && error !== UNTOUCHED) throw fault(`HeapCompact gave ${largest} with error ${error}`)
    if (this.process.snapshot().committed > before.committed) throw fault('HeapCompact committed memory')
  }

  /** Takes address space from between the heaps, or gives the oldest such reservation back. */
  #reserve(units: number): void {
    if (units > 0) {
      const address = this.#ce.VirtualAlloc(0, units * UNIT, MEM_RESERVE, PAGE_READWRITE)
      if (address !== 0) this.#pages.push(address)
    } else {
      const address = this.#pages.shift()
      if (address !== undefined && this.#ce.VirtualFree(address, 0, MEM_RELEASE) !== 1) throw fault('a reservation could not be released')
    }
  }

  #verify(): void {
    this.process.check()
    this.#ledger.verifyAll()
    const { heaps } = this.process.snapshot()
    for (const heap of this.#heaps) {
      const held = this.#ledger.of(heap).map(({ address, requested }) => `${address}:${requested}`)
      const info = heaps.find(({ handle }) => handle === heap)
      const known = info?.blocks
        .filter(({ state }) => state === 'live' || state === 'big')
        .map(({ address, requested }) => `${address}:${requested}`)
      if (held.sort().join() !== known?.sort().join()) throw fault(`heap 0x${heap.toString(16)} has other blocks than the app`)
      if (this.#ce.HeapValidate(heap, 0, 0) !== 1) throw fault(`HeapValidate refuses heap 0x${heap.toString(16)}`)
    }
  }
}
