// A spy that throws, or calls the allocator back.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type IMalloc, openCom, spyState } from '../../src/com/index.ts'
import { attachThread, E_ACCESSDENIED, S_OK } from '../../src/index.ts'
import { throwsApart } from '../coredll/apart.ts'
import { everywhere, open } from '../coredll/world.ts'
import { answering, here, spying } from './scene.ts'
import { Witness } from '../../src/mixed/spies.ts'

const trouble = suite('a spy that throws or calls back')

const throwing = (...methods: string[]): Witness => {
  const spy = new Witness()
  for (const method of methods) {
    Object.assign(spy, {
      [method]: () => {
        throw new RangeError(`${method} fails`)
      }
    })
  }
  return spy
}

trouble("a thread cannot detach from inside a method of its spy: the call holds the spy's section", () => {
  const { process, ce } = open(here)
  const other = attachThread(process.share())
  const com = openCom(other)
  const leaving = answering({
    PreAlloc: (cb) => {
      other.detach()
      return cb
    }
  })
  assert.is(com.CoRegisterMallocSpy(leaving), S_OK)
  const refused = 'detach: expected a thread outside every call, got one inside a method of a spy'
  assert.is(
    throwsApart(() => com.CoTaskMemAlloc(8), TypeError, refused),
    0
  )
  assert.is.not(openCom(ce).CoTaskMemAlloc(8), 0, 'the section is free')
  assert.is(com.CoRevokeMallocSpy(), S_OK)
  other.detach()
  process.check()
})

everywhere(
  trouble,
  'C-60, C-97: after a Pre method that throws nothing has happened, the call fails, and the next one is served',
  (world) => {
    const p = world.ce.LocalAlloc(0, 10)
    for (const [method, failed, call] of [
      ['PreAlloc', 0, (malloc: IMalloc) => malloc.Alloc(10)],
      ['PreFree', undefined, (malloc: IMalloc) => malloc.Free(p)],
      ['PreRealloc', 0, (malloc: IMalloc) => malloc.Realloc(p, 10)],
      ['PreGetSize', 0xffffffff, (malloc: IMalloc) => malloc.GetSize(p)],
      ['PreDidAlloc', -1, (malloc: IMalloc) => malloc.DidAlloc(p)],
      ['PreHeapMinimize', undefined, (malloc: IMalloc) => malloc.HeapMinimize()]
    ] as const) {
      const { malloc, spy, CoRevokeMallocSpy } = spying(throwing(method), world)
      const image = world.process.imageHash()
      const seen = world.findings.length
      assert.is(
        throwsApart(() => call(malloc), RangeError, `${method} fails`),
        failed
      )
      assert.is(world.process.imageHash(), image, method)
      assert.equal(spy.take(), [], 'no Post method')
      assert.equal(
        world.findings.slice(seen).map(({ rule }) => rule),
        ['C-60']
      )
      assert.ok(world.findings.at(-1)?.message.includes(`${method} of the spy threw an error`))
      assert.is(CoRevokeMallocSpy(), S_OK)
    }
  }
)

everywhere(
  trouble,
  'C-60, C-97: a PostAlloc that throws leaves no block behind; after any other Post method what was done stands, and is the answer',
  (world) => {
    const all = ['PostAlloc', 'PostFree', 'PostRealloc', 'PostGetSize', 'PostDidAlloc', 'PostHeapMinimize']
    const fails = (method: string, run: () => unknown): unknown => throwsApart(run, RangeError, `${method} fails`)
    const [p, q] = [world.ce.LocalAlloc(0, 10), world.ce.LocalAlloc(0, 10)]
    const { malloc, CoRevokeMallocSpy } = spying(throwing(...all), world)
    const blocks = world.process.snapshot().heaps[0]?.liveBlocks
    assert.is(
      fails('PostAlloc', () => malloc.Alloc(10)),
      0
    )
    assert.is(
      fails('PostAlloc', () => malloc.Alloc(0xf0000000)),
      0
    )
    assert.is(world.process.snapshot().heaps[0]?.liveBlocks, blocks)
    assert.is(spyState(world.ce)?.blocks, 0)
    fails('PostFree', () => malloc.Free(p))
    assert.is(world.ce.HeapSize(world.heap, 0, p), 0xffffffff)
    assert.is(
      fails('PostGetSize', () => malloc.GetSize(q)),
      world.size(10)
    )
    assert.is(
      fails('PostDidAlloc', () => malloc.DidAlloc(q)),
      1
    )
    fails('PostHeapMinimize', () => malloc.HeapMinimize())
    assert.is(
      fails('PostRealloc', () => malloc.Realloc(q, 31)),
      q
    )
    assert.is(spyState(world.ce)?.blocks, 1, 'the block is spied')
    assert.is(CoRevokeMallocSpy(), E_ACCESSDENIED)
    fails('PostFree', () => malloc.Free(q))
    assert.is(spyState(world.ce), undefined, 'SP-6: and the last one freed ends the spy all the same')
  }
)

everywhere(trouble, 'C-56: what the methods of a spy call is served, counted and not shown to it', (world) => {
  let own = 0
  const { malloc, spy } = spying(
    new (class extends Witness {
      override PreAlloc(cb: number): number {
        own = malloc.Alloc(8)
        return super.PreAlloc(cb)
      }
      override PostFree(fSpyed: number): void {
        super.PostFree(fSpyed)
        malloc.Free(malloc.Realloc(own, 900))
      }
    })(),
    world
  )
  const p = malloc.Alloc(100)
  assert.equal(spy.take(), ['PreAlloc 100', `PostAlloc ${p}`])
  assert.is(malloc.DidAlloc(own), 1)
  assert.equal(spy.take(), [`PreDidAlloc ${own} 0`, `PostDidAlloc ${own} 0 1`], 'its own block is not spied')
  assert.equal(spyState(world.ce), { thread: 1, pending: false, blocks: 1, unseen: 1 })
  malloc.Free(p)
  assert.equal(spy.take(), [`PreFree ${p} 1`, 'PostFree 1'])
  assert.is(spyState(world.ce)?.unseen, 3)
  assert.is(malloc.DidAlloc(own), 0)
  assert.equal(
    world.findings.map(({ rule, call }) => `${rule} ${call}`),
    ['C-56 IMalloc::Alloc'],
    'told once'
  )
})

trouble('a PostAlloc that frees the block itself, and then throws or hands it out', () => {
  for (const end of ['throws', 'returns']) {
    const { malloc, world } = spying(
      answering({
        PostAlloc: (p) => {
          malloc.Free(p)
          if (end === 'throws') throw new RangeError('gone')
          return p + 4
        }
      })
    )
    if (end === 'throws')
      assert.is(
        throwsApart(() => malloc.Alloc(10), RangeError, 'gone'),
        0
      )
    else malloc.Alloc(10)
    assert.is(spyState(world.ce)?.blocks, 0)
    assert.is(world.process.snapshot().heaps[0]?.liveBlocks, 0)
    world.process.check()
  }
})

trouble('findings are told outside of the section: a listener may revoke the spy and use the allocator', () => {
  const { malloc, spy, world, CoRevokeMallocSpy } = spying(answering({ PreAlloc: () => 1 }))
  let hr = -1
  const stop = world.process.onFinding(() => {
    hr = CoRevokeMallocSpy()
    stop()
  })
  const p = malloc.Alloc(10)
  assert.is(hr, E_ACCESSDENIED)
  malloc.Free(p)
  assert.is(spy.references, 0)
})

trouble.run()
