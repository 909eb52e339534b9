import * as assert from 'node:assert'
import { Worker } from 'node:worker_threads'
import { type Build, type CeProcess, createProcess, type Finding, MEM_RELEASE, type Placement, type ShareToken } from '../src/index.ts'
import {
  ALLOCATES,
  type Doomed,
  ENDS_HEAP,
  FILLS,
  FREES,
  IDLE,
  LEDGER,
  LEDGER_WORDS,
  MAKES_HEAP,
  patternAt,
  RELEASES,
  RESERVES,
  RESIZES,
  SLOTS
} from './deathworker.ts'

/** One process and the workers that die in it: on one heap, so that the living go on where the dead were. */
export interface Batch {
  readonly seed: number
  readonly placement: Placement
  readonly build: Build
  readonly plain: boolean
  /** Of the heap; 0 for a growable one. */
  readonly maximum: number
  readonly workers: number
}

/** What came of it. */
export interface Toll {
  deaths: number
  /** Workers that had attached by then. */
  attached: number
  /** Deaths in a section, as findings told of them: by call. */
  readonly inside: Map<string, number>
  /** Blocks, heaps or reservations that a call had returned when the worker died before it could write them down. */
  unknown: number
}

export function newToll(): Toll {
  return { deaths: 0, attached: 0, inside: new Map(), unknown: 0 }
}

interface Member {
  readonly worker: Worker
  readonly token: ShareToken
  readonly ledger: Int32Array
}

export function batchOf(seed: number, workers: number): Batch {
  const pick = (n: number): boolean => ((seed >>> n) & 1) === 1
  return {
    seed,
    workers,
    placement: pick(0) ? 'next-fit' : 'segregated',
    build: pick(1) ? 'debug' : 'retail',
    plain: !pick(2) || pick(3),
    maximum: pick(4) ? 0x40000 : 0
  }
}

/** Runs a batch and throws where the process is not as it should be after the deaths. `source` is the worker as one text, if it is at hand: that starts faster. */
export async function runBatch(batch: Batch, toll: Toll, source?: string): Promise<void> {
  const process = createProcess({ memory: 6 * 1024 * 1024, placement: batch.placement, build: batch.build, lockTimeout: 20_000 })
  process.onFinding(({ rule, call, message }: Finding) => {
    assert.ok(rule === 'C-92', `a finding that nobody expected: ${message}`)
    toll.inside.set(call, (toll.inside.get(call) ?? 0) + 1)
  })
  const heap = process.thread.HeapCreate(0, 0, batch.maximum)
  const crew = Array.from({ length: batch.workers }, (_, n) => start(process, heap, batch, n, source))
  let state = batch.seed * 2654435761 + 1
  for (const member of crew) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    await until(() => member.ledger[LEDGER.SLOT] !== 0 || member.ledger[LEDGER.DOING] !== IDLE)
    const turns = state % 400
    for (let n = 0; n < turns * 50; n++) Atomics.load(member.ledger, 0)
    await member.worker.terminate()
    toll.attached += process.workerEnded(member.token).length
    assert.deepEqual(process.workerEnded(member.token), [])
    toll.deaths++
    process.check()
  }
  settleAccounts(process, heap, crew, toll)
  process.close()
}

function start(process: CeProcess, heap: number, { seed, plain }: Batch, n: number, source: string | undefined): Member {
  const token = process.share()
  const ledger = new SharedArrayBuffer(LEDGER_WORDS * 4)
  const data: Doomed = { token, ledger, heap, seed: seed * 16 + n, plain }
  const worker = new Worker(source ?? new URL('./deathworker.js', import.meta.url), {
    eval: source !== undefined,
    workerData: data,
    stdout: false,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 }
  })
  worker.on('error', (error) => {
    throw error
  })
  return { worker, token, ledger: new Int32Array(ledger) }
}

async function until(holds: () => boolean): Promise<void> {
  for (let turns = 0; !holds(); turns++) {
    if (turns > 20_000) throw new Error('a worker does not begin')
    await new Promise((go) => setTimeout(go, 1))
  }
}

/** Whatever the dead had is there, with its contents; and nothing else is, but what died with the worker that had just got it. */
function settleAccounts(process: CeProcess, heap: number, crew: readonly Member[], toll: Toll): void {
  const ce = process.thread
  const { heaps, reservations } = process.snapshot()
  const live = new Map<number, number>()
  for (const { handle, blocks } of heaps)
    if (handle === heap)
      for (const { address, requested, state } of blocks) if (state === 'live' || state === 'big') live.set(address, requested)
  const ownHeaps = new Set(
    heaps
      .map(({ handle }) => handle)
      .slice(1)
      .filter((handle) => handle !== heap)
  )
  const pages = new Set(reservations.map(({ address }) => address))
  // What may be there though no ledger has it, and what may be missing though one has it.
  let blocks = 0
  let unknownHeaps = 0
  let unknownPages = 0
  const open: { readonly slot: number; readonly ledger: Int32Array }[] = []
  for (const { ledger } of crew) {
    const doing = ledger[LEDGER.DOING] as number
    const current = ledger[LEDGER.SLOT] as number
    const unsure = [ALLOCATES, FREES, RESIZES].includes(doing)
    if (doing === MAKES_HEAP) unknownHeaps++
    if (doing === RESERVES) unknownPages++
    const got = ledger[LEDGER.GOT] as number
    if ((doing === ALLOCATES || doing === RESIZES) && got === 0) blocks++
    if (doing === ALLOCATES && got !== 0) {
      assert.equal(live.get(got), ledger[LEDGER.BYTES], `the block at ${got}, which HeapAlloc has returned`)
      live.delete(got)
      assert.equal(ce.HeapFree(heap, 0, got), 1)
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      const pointer = ledger[LEDGER.SLOTS + 2 * slot] as number
      const bytes = ledger[LEDGER.SLOTS + 2 * slot + 1] as number
      if (pointer === 0) continue
      if (unsure && slot === current) {
        open.push({ slot, ledger })
        continue
      }
      assert.equal(live.get(pointer), bytes, `the block at ${pointer}`)
      if (doing !== FILLS || slot !== current)
        for (let n = 0; n < bytes; n++)
          assert.equal(ce.memory.bytes[pointer + n], patternAt(slot, bytes, n), `byte ${n} of the block at ${pointer}`)
      live.delete(pointer)
      assert.equal(ce.HeapFree(heap, 0, pointer), 1)
    }
    const own = ledger[LEDGER.OWN_HEAP] as number
    if (own !== 0 && doing !== ENDS_HEAP) assert.ok(ownHeaps.has(own), 'a heap is missing')
    if (ownHeaps.delete(own)) assert.equal(ce.HeapDestroy(own), 1)
  }
  // Those that were being released come last, as below: another worker may have the address by now.
  const releasing = ({ ledger }: Member): number => Number(ledger[LEDGER.DOING] === RELEASES)
  for (const member of [...crew].sort((one, other) => releasing(one) - releasing(other))) {
    const reserved = member.ledger[LEDGER.PAGES] as number
    if (reserved !== 0 && releasing(member) === 0) assert.ok(pages.has(reserved), 'a reservation is missing')
    if (pages.delete(reserved)) assert.equal(ce.VirtualFree(reserved, 0, MEM_RELEASE), 1)
  }
  // Those that were being freed come last: by then no other worker's known block is left to be taken for one.
  open.sort((one, other) => Number(one.ledger[LEDGER.DOING] === FREES) - Number(other.ledger[LEDGER.DOING] === FREES))
  for (const { slot, ledger } of open) toll.unknown += settleOpen(process, heap, slot, ledger, live)
  assert.ok(live.size <= blocks, `${live.size} blocks that nobody has, ${blocks} calls were being made`)
  assert.ok(ownHeaps.size <= unknownHeaps, `${ownHeaps.size} heaps that nobody has`)
  assert.ok(pages.size <= unknownPages, `${pages.size} reservations that nobody has`)
  toll.unknown += live.size + ownHeaps.size + pages.size
  for (const pointer of live.keys()) assert.equal(ce.HeapFree(heap, 0, pointer), 1)
  for (const handle of ownHeaps) assert.equal(ce.HeapDestroy(handle), 1)
  process.check()
  const left = process.snapshot().heaps.find(({ handle }) => handle === heap)
  assert.equal(left?.liveBlocks, 0)
  assert.equal(left?.liveBytes, 0)
  assert.equal(left?.blocks.filter(({ state }) => state === 'free').length, left?.regions.length)
}

/**
 * The block that a call was on when its thread died: as it was, resized, elsewhere, or freed. Where it has gone another worker's block may be by now.
 * Returns 1 if the call had moved it and its thread could not write down where to.
 */
function settleOpen(process: CeProcess, heap: number, slot: number, ledger: Int32Array, live: Map<number, number>): number {
  const ce = process.thread
  const at = LEDGER.SLOTS + 2 * slot
  const [pointer, bytes] = [ledger[at] as number, ledger[at + 1] as number]
  const intact = (where: number, length: number): boolean => {
    for (let n = 0; n < length; n++) if (ce.memory.bytes[where + n] !== patternAt(slot, bytes, n)) return false
    return true
  }
  const away = (where: number): void => {
    live.delete(where)
    assert.equal(ce.HeapFree(heap, 0, where), 1)
  }
  if (ledger[LEDGER.DOING] === FREES) {
    const size = live.get(pointer)
    if (size === undefined) return 0
    const own = intact(pointer, Math.min(size, bytes))
    // Eight bytes and more are no accident.
    if (own && Math.min(size, bytes) >= 8) assert.equal(size, bytes, `the block at ${pointer}, which was being freed, has another size`)
    if (own && size === bytes) away(pointer)
    return 0
  }
  const wanted = ledger[LEDGER.BYTES] as number
  const got = ledger[LEDGER.GOT] as number
  const here = live.get(pointer)
  const stays = got === 0 && (here === bytes || here === wanted) && intact(pointer, Math.min(here, bytes))
  const moved = [...live].find(([where, size]) => size === wanted && intact(where, Math.min(bytes, wanted)))?.[0]
  const there = got !== 0 ? got : stays ? pointer : moved
  assert.ok(there !== undefined, `the block at ${pointer} is lost`)
  assert.ok(stays || live.get(there) === wanted, `the block at ${there} has another size than HeapReAlloc was asked for`)
  assert.ok(intact(there, Math.min(bytes, live.get(there) as number)), `the block at ${there} has other bytes than before HeapReAlloc`)
  away(there)
  return there === pointer || got !== 0 ? 0 : 1
}
