// Any calls of two threads, with spies that come, go, put headers in front and force failures, beside the model of the protocol.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import { type IMalloc, openCom, spyState } from '../../src/com/index.ts'
import { attachThread } from '../../src/index.ts'
import { open, type Place, places, type World } from '../coredll/world.ts'
import { type Block, type Expected, Model } from './model.ts'
import { Headers } from '../../src/mixed/spies.ts'

const calls = [
  'alloc',
  'alloc',
  'alloc',
  'free',
  'free',
  'realloc',
  'getSize',
  'didAlloc',
  'didOther',
  'minimize',
  'register',
  'revoke'
] as const

interface Command {
  readonly do: (typeof calls)[number]
  /** Whether the creating thread calls, in which all spies live, or another one. */
  readonly seen: boolean
  readonly at: number
  readonly bytes: number
}

const command: fc.Arbitrary<Command> = fc.record({
  do: fc.constantFrom(...calls),
  seen: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
  at: fc.nat(),
  bytes: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 0, max: 300 }) }, { weight: 1, arbitrary: fc.integer({ min: 0, max: 60_000 }) })
})

/** A spy with headers that makes each n-th request fail. */
class Failing extends Headers {
  readonly #each: number
  #requests = 0

  constructor(header: number, each: number) {
    super(header)
    this.#each = each
  }

  #fails(): boolean {
    this.#requests++
    return this.#each !== 0 && this.#requests % this.#each === 0
  }

  override PreAlloc(cbRequest: number): number {
    const count = super.PreAlloc(cbRequest)
    return this.#fails() && cbRequest !== 0 ? 0 : count
  }

  override PreRealloc(pRequest: number, cbRequest: number, fSpyed: number): ReturnType<Headers['PreRealloc']> {
    const answer = super.PreRealloc(pRequest, cbRequest, fSpyed)
    if (this.header === 0) return { cb: this.#fails() ? 0 : cbRequest, ppNewRequest: pRequest }
    return this.#fails() ? { cb: 0, ppNewRequest: 0 } : answer
  }
}

/** The emulator and the model, side by side. */
class Both {
  readonly #world: World
  readonly #model = new Model()
  readonly #mallocs: Readonly<Record<'true' | 'false', IMalloc>>
  readonly #log: string[] = []

  constructor(place: Place) {
    this.#world = open(place, { memory: 8 * 1024 * 1024 })
    const mallocs = [this.#world.ce, attachThread(this.#world.process.share())].map((ce) => openCom(ce).CoGetMalloc(1).ppMalloc as IMalloc)
    this.#mallocs = { true: mallocs[0] as IMalloc, false: mallocs[1] as IMalloc }
  }

  run({ do: call, seen, at, bytes }: Command): void {
    const model = this.#model
    const malloc = this.#mallocs[`${seen}`]
    const block = model.blocks[at % (model.blocks.length || 1)]
    switch (call) {
      case 'alloc': {
        const expected = model.alloc(seen, bytes)
        const got = malloc.Alloc(bytes)
        if (expected.block !== undefined) this.#keep(got, expected.block)
        this.#compare(seen, expected, got)
        break
      }
      case 'register':
        this.#register(at)
        break
      case 'revoke': {
        const hr = model.revoke()
        assert.is(openCom(this.#world.ce).CoRevokeMallocSpy(), hr, 'revoke')
        this.#compare(true, { log: [], result: hr }, hr)
        break
      }
      case 'minimize':
        malloc.HeapMinimize()
        this.#compare(seen, model.minimize(seen), undefined)
        break
      case 'didOther': {
        const pointer = block === undefined ? 0x8000 : block.pointer + 1
        this.#compare(seen, model.didAlloc(seen, pointer, 0), malloc.DidAlloc(pointer))
        break
      }
      default:
        if (block !== undefined) this.#withBlock(call, seen, malloc, block, bytes)
    }
  }

  #withBlock(call: 'free' | 'realloc' | 'getSize' | 'didAlloc', seen: boolean, malloc: IMalloc, block: Block, bytes: number): void {
    const model = this.#model
    if (call === 'getSize') {
      const expected = model.getSize(seen, block, (asked) => this.#world.size(asked))
      this.#compare(seen, expected, malloc.GetSize(block.pointer))
      return
    }
    if (call === 'didAlloc') {
      this.#compare(seen, model.didAlloc(seen, block.pointer, 1), malloc.DidAlloc(block.pointer))
      return
    }
    this.#look(block, block.bytes)
    if (call === 'free' || bytes === 0) {
      const got = call === 'free' ? malloc.Free(block.pointer) : malloc.Realloc(block.pointer, 0)
      const { log } = model.free(seen, block)
      this.#compare(seen, { log, result: call === 'free' ? undefined : 0 }, got as number | undefined)
      return
    }
    const expected = model.realloc(seen, block, bytes)
    const got = malloc.Realloc(block.pointer, bytes)
    if (expected.block !== undefined) {
      this.#look({ ...block, pointer: got }, Math.min(block.bytes, bytes))
      model.blocks.splice(model.blocks.indexOf(block), 1)
      this.#keep(got, expected.block)
    }
    this.#compare(seen, expected, got)
  }

  #register(at: number): void {
    const header = [0, 0, 8, 40][at % 4] as number
    const failing = [0, 3, 7][at % 3] as number
    const spy = new Failing(header, failing)
    Object.defineProperty(spy, 'log', { value: this.#log })
    const before = this.#model.finish(true, [])
    const hr = this.#model.register({ header, failing, requests: 0, pending: false })
    assert.is(openCom(this.#world.ce).CoRegisterMallocSpy(spy), hr, 'register')
    const log = hr === 0 ? [...before, 'QueryInterface IID_IMallocSpy'] : before
    this.#compare(true, { log, result: hr }, hr)
  }

  /** A new block, filled with bytes that its size and pointer decide. */
  #keep(pointer: number, rest: Omit<Block, 'pointer'>): void {
    assert.is.not(pointer, 0)
    this.#world.ce.memory.fill(pointer, (rest.bytes * 7 + 1) & 0xff, rest.bytes)
    this.#model.blocks.push({ ...rest, pointer })
  }

  #look({ pointer, bytes }: Block, length: number): void {
    assert.ok(
      this.#world.ce.memory.read(pointer, length).every((byte) => byte === ((bytes * 7 + 1) & 0xff)),
      'the contents'
    )
  }

  #compare(seen: boolean, expected: Expected, got: number | undefined): void {
    const model = this.#model
    // What only the emulator knows is the block's start, and that must fit the pointer that was handed out.
    const block = model.blocks.at(-1)
    const start = expected.result === '?' && block !== undefined ? block.pointer - block.offset : 0
    const log = model.finish(
      seen,
      expected.log.map((line) => line.replace('?', String(start)))
    )
    assert.equal(this.#log.splice(0), log)
    if (expected.result !== '?') assert.is(got, expected.result, 'result')
    const state = spyState(this.#world.ce)
    const { spy } = model
    assert.equal(state, spy && { thread: 1, pending: spy.pending, blocks: model.spiedBlocks, unseen: model.unseen })
  }

  end(): void {
    this.#world.process.check()
    assert.is(this.#world.process.snapshot().heaps[0]?.liveBlocks, this.#model.blocks.length)
    while (this.#model.blocks.length > 0) this.run({ do: 'free', seen: this.#model.blocks.length % 2 === 0, at: 0, bytes: 0 })
    if (this.#model.spy !== undefined) this.run({ do: 'revoke', seen: true, at: 0, bytes: 0 })
    assert.is(spyState(this.#world.ce), undefined)
    this.#world.process.check()
    const rules = new Set(this.#world.findings.map(({ rule }) => rule))
    rules.delete('C-55')
    rules.delete('C-58')
    assert.equal([...rules], [])
  }
}

const model = suite('the spy and its model')
let compared = 0

for (const place of places) {
  model(
    `SP-4, SP-6, SP-11, SP-16, SP-18, SP-19, SP-22, C-55, C-57: what a spy is shown and what it does are the model's [${place.name}]`,
    () => {
      property(
        'com/model',
        fc.array(command, { minLength: 1, maxLength: 400, size: 'max' }),
        (commands) => {
          const both = new Both(place)
          commands.forEach((one, n) => {
            try {
              both.run(one)
            } catch (error) {
              const { message, actual, expected } = error as { message: string; actual?: unknown; expected?: unknown }
              throw new Error(
                `${place.name}: call ${n + 1}, ${JSON.stringify(one)}: ${message} (${JSON.stringify(actual)}, the model ${JSON.stringify(expected)})`
              )
            }
          })
          both.end()
          compared += commands.length
        },
        { runs: 12, within: 15_000 }
      )
    }
  )
}

model('about 19,000 calls were compared', () => {
  assert.ok(compared > 8_000 || process.env.CEHEAP_PATH, String(compared))
})
model.run()
