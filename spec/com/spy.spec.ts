// The spy: who registers it, what ends it, and what it is shown.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type IMallocSpy, spyState } from '../../src/com/index.ts'
import {
  CO_E_OBJISREG,
  CO_E_OBJNOTREG,
  E_ACCESSDENIED,
  E_FAIL,
  E_INVALIDARG,
  E_NOINTERFACE,
  MEM_RESERVE,
  PAGE_READWRITE,
  S_OK
} from '../../src/index.ts'
import { throwsApart } from '../coredll/apart.ts'
import { everywhere, refuses } from '../coredll/world.ts'
import { answering, scene, spying, without } from './scene.ts'
import { Witness } from '../../src/mixed/spies.ts'

const registering = suite('CoRegisterMallocSpy and CoRevokeMallocSpy')

registering('SP-2, SP-7: the reference comes from QueryInterface alone and goes with Release', () => {
  const { CoRegisterMallocSpy, CoRevokeMallocSpy } = scene()
  const spy = new Witness()
  assert.is(CoRegisterMallocSpy(spy), S_OK)
  assert.is(spy.references, 1)
  assert.is(CoRevokeMallocSpy(), S_OK)
  assert.is(spy.references, 0)
  assert.equal(spy.log, ['QueryInterface IID_IMallocSpy', 'Release'])
})

registering('SP-1, SP-3, SP-5: NULL is E_INVALIDARG at any time, a second spy CO_E_OBJISREG, a revoke without a spy CO_E_OBJNOTREG', () => {
  const { CoRegisterMallocSpy, CoRevokeMallocSpy } = scene()
  const [spy, other] = [new Witness(), new Witness()]
  assert.is(CoRegisterMallocSpy(null), E_INVALIDARG)
  assert.is(CoRevokeMallocSpy(), CO_E_OBJNOTREG)
  assert.is(CoRegisterMallocSpy(spy), S_OK)
  assert.is(CoRegisterMallocSpy(null), E_INVALIDARG)
  assert.is(CoRegisterMallocSpy(0), E_INVALIDARG)
  for (const second of [spy, other]) assert.is(CoRegisterMallocSpy(second), CO_E_OBJISREG)
  assert.equal(other.log, [], 'C-61: it is not even asked')
  assert.is(CoRevokeMallocSpy(), S_OK)
  assert.is(CoRevokeMallocSpy(), CO_E_OBJNOTREG)
  assert.is(CoRegisterMallocSpy(other), S_OK)
})

registering('C-61: a spy without QueryInterface is taken as it is, and not released; one whose QueryInterface fails is refused', () => {
  const { CoRegisterMallocSpy, CoRevokeMallocSpy, malloc } = scene()
  const plain = without(new Witness(), 'QueryInterface')
  assert.is(CoRegisterMallocSpy(plain), S_OK)
  malloc.GetSize(64)
  assert.is(CoRevokeMallocSpy(), S_OK)
  assert.equal(plain.take(), ['PreGetSize 64 0', 'PostGetSize 4294967295 0'])
  const shy = Object.assign(new Witness(), { QueryInterface: () => ({ hr: E_NOINTERFACE, ppvObject: null }) })
  assert.is(CoRegisterMallocSpy(shy), E_INVALIDARG)
  assert.is(CoRevokeMallocSpy(), CO_E_OBJNOTREG)
})

registering('the spy is what its QueryInterface gives, and that is released', () => {
  const { CoRegisterMallocSpy, CoRevokeMallocSpy, malloc } = scene()
  const inner = new Witness()
  const outer = { QueryInterface: () => ({ hr: S_OK, ppvObject: inner }) } as unknown as IMallocSpy
  assert.is(CoRegisterMallocSpy(outer), S_OK)
  malloc.HeapMinimize()
  CoRevokeMallocSpy()
  assert.equal(inner.log, ['PreHeapMinimize', 'PostHeapMinimize', 'Release'])
})

registering('SP-9: what lacks one of the twelve methods, or is no object, is refused and leaves nothing registered', () => {
  const { CoRegisterMallocSpy, CoRevokeMallocSpy, world } = scene()
  const image = world.process.imageHash()
  const register = (spy: unknown) => () => CoRegisterMallocSpy(spy as IMallocSpy)
  for (const wrong of [undefined, 5, 'spy', true, () => 1, 1n])
    refuses(register(wrong), TypeError, /^CoRegisterMallocSpy: lpMallocSpy: expected a spy, or null or 0 for NULL, got /)
  const methods = 'Alloc Free Realloc GetSize DidAlloc HeapMinimize'.split(' ').flatMap((name) => [`Pre${name}`, `Post${name}`])
  assert.is(methods.length, 12)
  for (const method of methods) {
    const spy = without(new Witness(), 'QueryInterface', method)
    refuses(register(spy), TypeError, `CoRegisterMallocSpy: lpMallocSpy.${method}: expected a function, got undefined`)
    const asked = Object.assign(new Witness(), { [method]: 5 })
    refuses(register(asked), TypeError, `CoRegisterMallocSpy: lpMallocSpy.${method}: expected a function, got 5`)
    assert.is(asked.references, 0, 'what QueryInterface gave is given back')
  }
  refuses(register({ QueryInterface: 1 }), TypeError, 'CoRegisterMallocSpy: QueryInterface: expected a function, got 1')
  for (const answer of [undefined, 0, {}, { hr: -1 }])
    refuses(
      register({ QueryInterface: () => answer }),
      TypeError,
      /^CoRegisterMallocSpy: the spy's QueryInterface: expected { hr, ppvObject }, got /
    )
  for (const ppvObject of [undefined, null, 7])
    refuses(register({ QueryInterface: () => ({ hr: 0, ppvObject }) }), TypeError, /an object with the twelve methods of IMallocSpy/)
  assert.is(CoRevokeMallocSpy(), CO_E_OBJNOTREG)
  assert.is(world.process.imageHash(), image)
})

registering('a QueryInterface that registers another spy wins: the first caller finds one registered, and gives its reference back', () => {
  const { CoRegisterMallocSpy } = scene()
  const inner = new Witness()
  const outer = new (class extends Witness {
    override QueryInterface(riid: string): ReturnType<Witness['QueryInterface']> {
      assert.is(CoRegisterMallocSpy(inner), S_OK)
      return super.QueryInterface(riid)
    }
  })()
  assert.is(CoRegisterMallocSpy(outer), CO_E_OBJISREG)
  assert.equal([outer.references, inner.references], [0, 1])
})

everywhere(
  registering,
  'SP-5, SP-6, SP-22: a revoke waits for the last spied block, and the spy is shown everything until then',
  (world) => {
    const { malloc, CoRevokeMallocSpy, CoRegisterMallocSpy, spy } = spying(new Witness(), world)
    const [p, q] = [malloc.Alloc(10), malloc.Alloc(20)]
    assert.is(CoRevokeMallocSpy(), E_ACCESSDENIED)
    assert.equal(spyState(world.ce), { thread: 1, pending: true, blocks: 2, unseen: 0 })
    const r = malloc.Alloc(30)
    malloc.Free(p)
    malloc.Realloc(q, 0)
    spy.take()
    assert.is(spyState(world.ce)?.blocks, 1)
    malloc.Free(r)
    assert.equal(spy.take(), [`PreFree ${r} 1`, 'PostFree 1', 'Release'])
    assert.is(spyState(world.ce), undefined)
    assert.is(CoRevokeMallocSpy(), CO_E_OBJNOTREG)
    malloc.Free(malloc.Alloc(1))
    assert.equal(spy.take(), [])
    assert.is(CoRegisterMallocSpy(new Witness()), S_OK)
    CoRevokeMallocSpy()
  }
)

registering(
  'SP-8, C-58: while a revoke is pending a further one gives E_ACCESSDENIED and is reported, and no spy can be registered',
  () => {
    const { malloc, CoRevokeMallocSpy, CoRegisterMallocSpy, spy, world } = spying(new Witness())
    const p = malloc.Alloc(10)
    for (const findings of [0, 1, 2]) {
      assert.is(CoRevokeMallocSpy(), E_ACCESSDENIED)
      assert.is(world.findings.length, findings)
    }
    assert.is(world.findings[0]?.rule, 'C-58')
    assert.is(CoRegisterMallocSpy(new Witness()), CO_E_OBJISREG)
    malloc.Free(p)
    assert.is(spy.references, 0)
  }
)

registering('C-58: a revoke by a method of the spy waits for the call to end', () => {
  for (const method of ['PreHeapMinimize', 'PostHeapMinimize'] as const) {
    let got: number | undefined
    const { malloc, spy, CoRevokeMallocSpy, world } = spying(Object.assign(new Witness(), { [method]: () => (got = CoRevokeMallocSpy()) }))
    malloc.HeapMinimize()
    assert.is(got, E_ACCESSDENIED)
    assert.equal(spy.take(), [method === 'PreHeapMinimize' ? 'PostHeapMinimize' : 'PreHeapMinimize', 'Release'])
    assert.is(spyState(world.ce), undefined)
  }
})

registering('C-97: a Release that throws does so apart, with the spy revoked', () => {
  const { CoRevokeMallocSpy } = spying(
    Object.assign(new Witness(), {
      Release: () => {
        throw new RangeError('no release')
      }
    })
  )
  assert.is(throwsApart(CoRevokeMallocSpy, RangeError, 'no release'), S_OK)
  assert.is(CoRevokeMallocSpy(), CO_E_OBJNOTREG)
})
registering('C-61, C-97: a QueryInterface that throws has failed', () => {
  const { CoRegisterMallocSpy, world } = scene()
  const QueryInterface = (): never => {
    throw new RangeError('no interface')
  }
  assert.is(
    throwsApart(() => CoRegisterMallocSpy(answering({ QueryInterface })), RangeError, 'no interface'),
    E_INVALIDARG
  )
  assert.is(spyState(world.ce), undefined)
})
registering('a spy whose QueryInterface fails is E_INVALIDARG whatever the code', () => {
  const { CoRegisterMallocSpy } = scene()
  for (const hr of [E_FAIL, E_NOINTERFACE, 0x80000000, 0xffffffff])
    assert.is(CoRegisterMallocSpy(answering({ QueryInterface: () => ({ hr, ppvObject: new Witness() }) })), E_INVALIDARG)
  // S_FALSE is a success.
  assert.is(CoRegisterMallocSpy(answering({ QueryInterface: () => ({ hr: 1, ppvObject: new Witness() }) })), S_OK)
})
registering.run()

const shown = suite('what a spy is shown')

everywhere(shown, 'SP-4: every call goes through Pre, the allocator and Post, by IMalloc or by CoTaskMem*', (world) => {
  const { malloc, CoTaskMemAlloc, CoTaskMemRealloc, CoTaskMemFree, CoRevokeMallocSpy, spy } = spying(new Witness(), world)
  for (const [alloc, realloc, free] of [
    [malloc.Alloc.bind(malloc), malloc.Realloc.bind(malloc), malloc.Free.bind(malloc)],
    [CoTaskMemAlloc, CoTaskMemRealloc, CoTaskMemFree]
  ] as const) {
    const p = alloc(100)
    assert.equal(spy.take(), ['PreAlloc 100', `PostAlloc ${p}`])
    const q = realloc(p, 50_000)
    assert.equal(spy.take(), [`PreRealloc ${p} 50000 1`, `PostRealloc ${q} 1`])
    assert.is(malloc.GetSize(q), world.size(50_000))
    assert.equal(spy.take(), [`PreGetSize ${q} 1`, `PostGetSize ${world.size(50_000)} 1`])
    assert.is(malloc.DidAlloc(q), 1)
    assert.equal(spy.take(), [`PreDidAlloc ${q} 1`, `PostDidAlloc ${q} 1 1`])
    free(q)
    assert.equal(spy.take(), [`PreFree ${q} 1`, 'PostFree 1'])
  }
  malloc.HeapMinimize()
  assert.equal(spy.take(), ['PreHeapMinimize', 'PostHeapMinimize'])
  malloc.AddRef()
  malloc.Release()
  malloc.QueryInterface('')
  assert.equal(spy.take(), [])
  assert.is(CoRevokeMallocSpy(), S_OK)
  assert.equal(world.findings, [])
})

everywhere(shown, 'C-57: Realloc of NULL shows as Alloc, to 0 bytes as Free; Free, GetSize and DidAlloc of NULL do not show', (world) => {
  const { malloc, spy, CoRevokeMallocSpy } = spying(new Witness(), world)
  const p = malloc.Realloc(0, 7)
  assert.equal(spy.take(), ['PreAlloc 7', `PostAlloc ${p}`])
  assert.is(malloc.Realloc(p, 0), 0)
  assert.equal(spy.take(), [`PreFree ${p} 1`, 'PostFree 1'])
  malloc.Free(0)
  assert.is(malloc.Realloc(0, 0) === 0, false)
  spy.take()
  assert.equal([malloc.GetSize(0), malloc.DidAlloc(0)], [0xffffffff, -1])
  assert.equal(spy.take(), [])
  assert.is(CoRevokeMallocSpy(), E_ACCESSDENIED)
})

shown('SP-16: blocks from before the spy, of LocalAlloc and bad pointers come with fSpyed FALSE', () => {
  const set = scene()
  const before = set.malloc.Alloc(10)
  const { malloc, spy, world } = spying(new Witness(), set.world)
  const local = world.ce.LocalAlloc(0, 10)
  for (const pointer of [before, local, before + 4, 0x8000, 0xffffffff]) {
    const ours = pointer === before || pointer === local ? 1 : 0
    malloc.DidAlloc(pointer)
    assert.equal(spy.take(), [`PreDidAlloc ${pointer} 0`, `PostDidAlloc ${pointer} 0 ${ours}`])
  }
  malloc.Free(before)
  assert.equal(spy.take(), [`PreFree ${before} 0`, 'PostFree 0'])
  assert.is(malloc.DidAlloc(before), 0)
})

shown('SP-19, SP-22: a block from before becomes spied by a Realloc, and the revoke then waits for it', () => {
  const set = scene()
  const before = set.malloc.Alloc(10)
  const { malloc, spy, world, CoRevokeMallocSpy } = spying(new Witness(), set.world)
  const now = malloc.Realloc(before, 5000)
  assert.equal(spy.take(), [`PreRealloc ${before} 5000 0`, `PostRealloc ${now} 0`])
  assert.is(spyState(world.ce)?.blocks, 1)
  malloc.GetSize(now)
  assert.equal(spy.take().slice(0, 1), [`PreGetSize ${now} 1`])
  assert.is(CoRevokeMallocSpy(), E_ACCESSDENIED)
  malloc.Free(now)
  assert.is(spyState(world.ce), undefined)
})

shown('a block that HeapFree freed past the allocator keeps the revoke pending until its address is used again', () => {
  const { malloc, spy, world, CoRevokeMallocSpy } = spying(new Witness())
  const p = malloc.Alloc(10)
  world.ce.HeapFree(world.heap, 0, p)
  world.process.check()
  assert.is(CoRevokeMallocSpy(), E_ACCESSDENIED)
  assert.is(malloc.Alloc(10), p)
  assert.is(spyState(world.ce)?.blocks, 1)
  malloc.Free(p)
  assert.is(spy.references, 0)
})

shown('SP-16: a block that HeapFree freed past the allocator is not spied when another heap has its address', () => {
  const { malloc, spy, world } = spying(new Witness())
  const { ce, heap } = world
  const other = ce.HeapCreate(0, 0, 0)
  const p = malloc.Alloc(0x20000)
  ce.HeapFree(heap, 0, p)
  assert.is(ce.HeapAlloc(other, 0, 0x20000), p)
  spy.take()
  malloc.GetSize(p)
  assert.equal(spy.take().slice(0, 1), [`PreGetSize ${p} 0`])
  world.process.check()
})

shown('SP-16: a block that HeapFree freed past the allocator is not spied when pages of the app have its address, or nothing has', () => {
  const { malloc, spy, world } = spying(new Witness())
  const { ce, heap } = world
  const p = malloc.Alloc(0x20000)
  ce.HeapFree(heap, 0, p)
  const shows = (): void => {
    spy.take()
    malloc.GetSize(p)
    assert.equal(spy.take().slice(0, 1), [`PreGetSize ${p} 0`])
  }
  shows()
  assert.is(ce.VirtualAlloc(p, 0x20000, MEM_RESERVE, PAGE_READWRITE), p)
  shows()
  world.process.check()
})

everywhere(shown, 'SP-12, SP-18: real lack of memory is shown as NULL to PostAlloc and PostRealloc, and the old block stands', (world) => {
  const { malloc, spy, CoRevokeMallocSpy } = spying(new Witness(), world)
  assert.is(malloc.Alloc(0xf0000000), 0)
  assert.equal(spy.take(), ['PreAlloc 4026531840', 'PostAlloc 0'])
  const p = malloc.Alloc(10)
  spy.take()
  assert.is(malloc.Realloc(p, 0xf0000000), 0)
  assert.equal(spy.take(), [`PreRealloc ${p} 4026531840 1`, 'PostRealloc 0 1'])
  assert.is(malloc.DidAlloc(p), 1)
  malloc.Free(p)
  CoRevokeMallocSpy()
})
shown.run()
