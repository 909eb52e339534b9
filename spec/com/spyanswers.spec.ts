// What a spy's answers do: counts, pointers, forced failures, headers.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type NewRequest, spyState } from '../../src/com/index.ts'
import { S_OK } from '../../src/index.ts'
import { throwsApart } from '../coredll/apart.ts'
import { everywhere, filled, type World } from '../coredll/world.ts'
import { answering, spying } from './scene.ts'
import { Headers } from '../../src/mixed/spies.ts'

const answers = suite("what a spy's answers do")

everywhere(answers, 'SP-11: PreAlloc forces a failure with 0, and PostAlloc is not called; for 0 bytes 0 is no failure', (world) => {
  const { malloc, spy } = spying(answering({ PreAlloc: () => 0 }), world)
  assert.equal(
    world.answer(() => malloc.Alloc(10)),
    { result: 0, error: 'untouched', rules: [], changed: false }
  )
  assert.equal(spy.take(), [])
  const p = malloc.Alloc(0)
  assert.is.not(p, 0)
  assert.equal(spy.take(), [`PostAlloc ${p}`])
})

everywhere(answers, 'SP-18: PreRealloc forces a failure with 0: NULL, no PostRealloc, the block as it was', (world) => {
  const { malloc, spy } = spying(answering({ PreRealloc: () => ({ cb: 0, ppNewRequest: 0 }) }), world)
  const p = malloc.Alloc(10)
  spy.take()
  assert.equal(
    world.answer(() => malloc.Realloc(p, 20)),
    { result: 0, error: 'untouched', rules: [], changed: false }
  )
  assert.equal(spy.take(), [])
})

everywhere(answers, 'SP-10, SP-14, SP-15, SP-17: a spy that puts a header in front of each block is not seen by the program', (world) => {
  for (const header of [1, 8, 32, 96]) {
    const { malloc, CoRevokeMallocSpy } = spying(new Headers(header), world)
    const p = malloc.Alloc(100)
    world.ce.memory.fill(p, 3, 100)
    assert.is(malloc.DidAlloc(p), 1)
    assert.is(malloc.GetSize(p), world.size(100 + header) - header)
    const q = malloc.Realloc(p, 60_000)
    assert.ok(filled(world.ce, q, 100, 3))
    assert.is(malloc.DidAlloc(p), p === q ? 1 : 0)
    assert.is(world.ce.HeapValidate(world.heap, 0, q - header), 1)
    malloc.Free(q)
    const empty = malloc.Alloc(0)
    assert.is(malloc.DidAlloc(empty), 1, 'C-59: behind the header of a block of 0 bytes too')
    malloc.Realloc(empty, 0)
    assert.is(CoRevokeMallocSpy(), S_OK, 'every block is known and gone')
  }
  assert.equal(world.findings, [])
})

everywhere(answers, 'SP-20, SP-21: what PostGetSize and PostDidAlloc answer goes to the caller', (world) => {
  const { malloc } = spying(answering({ PostGetSize: () => 27, PostDidAlloc: () => -1 }), world)
  const p = malloc.Alloc(27)
  assert.is(malloc.GetSize(p), 27)
  assert.is(malloc.DidAlloc(p), -1)
})

const odd = (name: string, body: (world: World) => void): void => everywhere(answers, name, body)

odd('SP-10, C-59: a count below the request is taken as it is, and reported', (world) => {
  const { malloc } = spying(answering({ PreAlloc: () => 40, PreRealloc: (p) => ({ cb: 50, ppNewRequest: p }) }), world)
  const p = malloc.Alloc(100)
  assert.is(world.ce.HeapSize(world.heap, 0, p), world.size(40))
  const q = malloc.Realloc(p, 100)
  assert.is(world.ce.HeapSize(world.heap, 0, q), world.size(50))
  assert.equal(
    world.findings.map(({ message }) => message),
    [
      'Alloc: the spy answers 40 bytes for a request of 100: too few',
      'Realloc: the spy answers 50 bytes for a request of 100: too few'
    ].map((text) => `IMalloc::${text}`)
  )
})

odd('SP-14, C-59: a pointer outside of its block reaches the caller and is reported; the block is known by its start', (world) => {
  for (const wrong of [0, 5, 0x8000, 0xffffffff]) {
    let actual = 0
    const { malloc, spy, CoRevokeMallocSpy } = spying(
      answering({
        PostAlloc: (p) => {
          actual = p
          return wrong
        }
      }),
      world
    )
    assert.equal(world.answer(() => malloc.Alloc(100)).rules, ['SP-14'])
    assert.is(malloc.DidAlloc(actual), 1)
    spy.take()
    malloc.Free(actual)
    assert.equal(spy.take(), [`PreFree ${actual} 1`, 'PostFree 1'])
    assert.is(CoRevokeMallocSpy(), S_OK)
  }
})

odd('SP-14: an address made of NULL is reported', (world) => {
  const { malloc } = spying(answering({ PostAlloc: (p) => p + 8, PostRealloc: (p) => p + 8 }), world)
  assert.is(malloc.Alloc(0xf0000000), 8)
  const p = malloc.Alloc(10)
  assert.is(malloc.Realloc(p - 8, 0xf0000000), 8)
  assert.equal(world.findings.filter(({ rule }) => rule === 'SP-14').length, 2)
})

odd('SP-15: a start that is not the block goes on to the allocator, which refuses it', (world) => {
  let wrong = 0
  const { malloc } = spying(answering({ PreFree: () => wrong, PreGetSize: () => wrong, PreDidAlloc: () => wrong }), world)
  const p = malloc.Alloc(100)
  for (wrong of [p + 4, 0x8000, 0xffffffff]) {
    assert.equal(
      world.answer(() => malloc.Free(p) as undefined),
      { result: undefined, error: 87, rules: ['SP-15', 'C-53'], changed: false }
    )
    assert.equal(
      world.answer(() => malloc.GetSize(p)),
      { result: 0xffffffff, error: 'untouched', rules: ['SP-15', 'C-53'], changed: false }
    )
    assert.equal(
      world.answer(() => malloc.DidAlloc(p)),
      { result: 0, error: 'untouched', rules: ['SP-15'], changed: false }
    )
  }
  wrong = 0
  assert.equal(
    world.answer(() => malloc.Free(p) as undefined),
    { result: undefined, error: 'untouched', rules: ['SP-15'], changed: false }
  )
  assert.equal(
    world.answer(() => malloc.GetSize(p)),
    { result: 0xffffffff, error: 'untouched', rules: ['SP-15'], changed: false }
  )
  assert.equal(
    world.answer(() => malloc.DidAlloc(p)),
    { result: -1, error: 'untouched', rules: ['SP-15'], changed: false }
  )
})

odd('SP-15: a spy that names another live block has that one freed or resized, and its marks stay exact', (world) => {
  let other = 0
  const { malloc, CoRevokeMallocSpy } = spying(
    answering({ PreFree: (p) => other || p, PreRealloc: (p, cb) => ({ cb, ppNewRequest: other || p }) }),
    world
  )
  const [a, b, c] = [malloc.Alloc(10), malloc.Alloc(10), malloc.Alloc(10)]
  other = b
  malloc.Free(a)
  assert.equal([malloc.DidAlloc(a), malloc.DidAlloc(b)], [1, 0])
  other = c
  const moved = malloc.Realloc(a, 250_000)
  assert.equal([malloc.DidAlloc(a), malloc.DidAlloc(c), malloc.DidAlloc(moved)], [1, 0, 1])
  assert.is(spyState(world.ce)?.blocks, 2)
  other = 0
  for (const p of [a, moved]) malloc.Free(p)
  assert.is(CoRevokeMallocSpy(), S_OK)
})

odd('SP-17, C-59: a PreRealloc that stores no ppNewRequest fails, changes nothing and is reported; NULL resizes nothing', (world) => {
  let ppNewRequest: number | undefined
  const { malloc, spy } = spying(answering({ PreRealloc: (_, cb) => ({ cb, ppNewRequest }) as NewRequest }), world)
  const p = malloc.Alloc(10)
  spy.take()
  assert.equal(
    world.answer(() => malloc.Realloc(p, 20)),
    { result: 0, error: 'untouched', rules: ['SP-17'], changed: false }
  )
  assert.equal(spy.take(), [])
  ppNewRequest = 0
  assert.equal(
    world.answer(() => malloc.Realloc(p, 20)),
    { result: 0, error: 'untouched', rules: ['SP-15'], changed: false }
  )
  assert.equal(spy.take(), ['PostRealloc 0 1'])
})

odd(
  'C-60, C-97: an answer that is no number is refused with the method that gave it, apart; nothing is done by a Pre method, and the call fails',
  (world) => {
    let wrong: unknown
    const answers = [0, undefined, 0, 0xffffffff, -1, 0, 0]
    let got: unknown[] = []
    const refused = (run: () => unknown, type: typeof TypeError | typeof RangeError, message: RegExp): unknown =>
      got.push(throwsApart(run, type, message))
    const bad = (): never => wrong as never
    const set = spying(answering({ PreAlloc: bad, PreFree: bad, PreRealloc: bad, PreGetSize: bad, PreDidAlloc: bad }), world)
    const p = set.world.ce.LocalAlloc(0, 10)
    for (const value of [undefined, null, '1', 1n, -1, 0.5, 2 ** 32, Number.NaN]) {
      wrong = value
      got = []
      const image = world.process.imageHash()
      const type = typeof value === 'number' ? RangeError : TypeError
      refused(
        () => set.malloc.Alloc(10),
        type,
        /^IMalloc::Alloc: result of the spy's PreAlloc: expected a whole number from 0 to 4294967295, got /
      )
      refused(() => set.CoTaskMemFree(p), type, /^CoTaskMemFree: result of the spy's PreFree: /)
      refused(
        () => set.malloc.Realloc(p, 9),
        TypeError,
        /^IMalloc::Realloc: result of the spy's PreRealloc: expected \{ cb, ppNewRequest \}, got /
      )
      refused(() => set.malloc.GetSize(p), type, /^IMalloc::GetSize: result of the spy's PreGetSize: /)
      refused(() => set.malloc.DidAlloc(p), type, /^IMalloc::DidAlloc: result of the spy's PreDidAlloc: /)
      wrong = { cb: value, ppNewRequest: p }
      refused(() => set.malloc.Realloc(p, 9), type, /^IMalloc::Realloc: result of the spy's PreRealloc, cb: /)
      if (value !== undefined) {
        wrong = { cb: 10, ppNewRequest: value }
        refused(() => set.malloc.Realloc(p, 9), type, /^IMalloc::Realloc: result of the spy's PreRealloc, ppNewRequest: /)
      }
      assert.is(world.process.imageHash(), image)
      assert.equal(got, answers.slice(0, got.length))
    }
  }
)

odd('PostDidAlloc answers 1, 0 or -1, and nothing else', (world) => {
  for (const value of [2, -2, 0.5, undefined, true]) {
    const { malloc, CoRevokeMallocSpy } = spying(answering({ PostDidAlloc: () => value as number }), world)
    const got = throwsApart(
      () => malloc.DidAlloc(64),
      typeof value === 'number' ? RangeError : TypeError,
      /^IMalloc::DidAlloc: result of the spy's PostDidAlloc: expected a whole number from -1 to 1, got /
    )
    assert.is(got, 0, 'what the allocator says')
    CoRevokeMallocSpy()
  }
})
answers.run()
