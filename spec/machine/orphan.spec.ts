// Sections whose owner has died (section.pml proves the protocol; here are its turns one by one).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, type CeProcess, type CeThread, createProcess, type ShareToken } from '../../src/index.ts'
import { enterLater } from '../../src/machine/enterlater.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, leave, ORPHAN, orphan, takeOver, WAITERS } from '../../src/machine/section.ts'

/** A section that the calls of these tests do not take themselves. */
const at = HDR.SPY_LOCK

interface Scene {
  readonly process: CeProcess
  readonly one: CeThread
  readonly two: CeThread
  readonly token: ShareToken
  /** Who mended after whom, as [who, dead]. */
  readonly mended: (readonly [number, number])[]
}

/** A process in which thread 2 is about to die; only `one` does mend, and only tells of it. */
function scene(mend: () => void = () => {}): Scene {
  const process = createProcess({ memory: 1024 * 1024, lockTimeout: 40 })
  const token = process.share()
  const mended: [number, number][] = []
  process.thread.machine.repair = (_, who, dead) => {
    mended.push([who, dead])
    mend()
  }
  return { process, one: process.thread, two: attachThread(token), token, mended }
}

const orphans = suite('orphaned sections')

orphans('a dead owner is told from a new thread that got its id', () => {
  const { one, two, mended } = scene()
  enter(two.machine, at, two.tid)
  orphan(one.machine, at, two.tid)
  const seen = one.machine.sys[at] as number
  two.detach()
  const heir = attachThread(one.machine.share())
  assert.is(heir.tid, two.tid)
  heir.machine.repair = one.machine.repair
  enter(heir.machine, at, heir.tid)
  assert.equal(mended, [[heir.tid, heir.tid]], 'it takes the section over, and does not take itself for the owner')
  assert.is(takeOver(one.machine, at, one.tid, seen), false, 'who saw the dead one comes too late')
  leave(heir.machine, at)
  enter(heir.machine, at, heir.tid)
  assert.is(takeOver(one.machine, at, one.tid, seen), false, 'also where the new thread stands in the word now')
  leave(heir.machine, at)
  assert.is(one.machine.sys[at], 0)
})

orphans('however often the dead owner had entered, one leave of the heir frees the section', () => {
  const { process, one, two, token, mended } = scene()
  for (let n = 0; n < 3; n++) enter(two.machine, at, two.tid)
  orphan(one.machine, at, two.tid)
  enter(one.machine, at, one.tid)
  assert.equal(mended, [[one.tid, two.tid]])
  leave(one.machine, at)
  assert.is(one.machine.sys[at], 0)
  assert.equal(process.workerEnded(token), [two.tid])
})

orphans('a mending that fails leaves the section an orphan: the next to enter mends, nobody gets in without', () => {
  let failing = true
  const { one, two, mended } = scene(() => {
    if (failing) throw new Error('planted')
  })
  enter(two.machine, at, two.tid)
  orphan(one.machine, at, two.tid)
  for (let n = 0; n < 2; n++) {
    assert.throws(() => enter(one.machine, at, one.tid), /planted/)
    assert.is(one.machine.sys[at], two.tid | ORPHAN | WAITERS)
  }
  failing = false
  enter(one.machine, at, one.tid)
  leave(one.machine, at)
  assert.is(one.machine.sys[at], 0)
  assert.is(mended.length, 3)
})

orphans('the burial mends what nobody has taken over yet, and waits for nobody who has', () => {
  for (const taken of [false, true]) {
    const { process, one, two, token, mended } = scene()
    const third = attachThread(process.share())
    third.machine.repair = one.machine.repair
    enter(two.machine, at, two.tid)
    if (taken) {
      orphan(one.machine, at, two.tid)
      enter(third.machine, at, third.tid)
    }
    assert.equal(process.workerEnded(token), [two.tid])
    assert.equal(mended, [[taken ? third.tid : one.tid, two.tid]])
    if (taken) leave(third.machine, at)
    assert.is(one.machine.sys[at], 0)
  }
})

orphans('who waits by a promise mends too, under its plain id', async () => {
  const { process, one, two, token, mended } = scene()
  const third = attachThread(process.share())
  third.machine.repair = one.machine.repair
  enter(two.machine, at, two.tid)
  const entering = enterLater(third.machine, at, third.tid)
  // Marked alone: the burial would mend at once.
  orphan(one.machine, at, two.tid)
  assert.is(await entering, true)
  assert.equal(mended, [[third.tid, two.tid]])
  leave(third.machine, at)
  assert.is(one.machine.sys[at], 0)
  assert.equal(process.workerEnded(token), [two.tid])
})

orphans('a promise that is given up is rejected with the reason, also where its bound is no longer than one look', async () => {
  const { one, two } = scene()
  enter(two.machine, at, two.tid)
  const ending = new AbortController()
  const entering = enterLater(one.machine, at, one.tid, ending.signal)
  ending.abort('enough')
  assert.is(await entering.catch((error: unknown) => error), 'enough')
  leave(two.machine, at)
  assert.is(one.machine.sys[at], 0)
})

orphans('a mending that fails in the burial costs the dead thread its id all the same', () => {
  const { process, one, two, token } = scene(() => {
    throw new Error('planted')
  })
  enter(two.machine, at, two.tid)
  assert.throws(() => process.workerEnded(token), /planted/)
  assert.is(attachThread(process.share()).tid, two.tid)
  one.machine.repair = undefined
  enter(one.machine, at, one.tid)
  leave(one.machine, at)
  assert.is(one.machine.sys[at], 0)
})
orphans.run()
