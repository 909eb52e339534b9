// Implementations in this thread that misbehave: what they throw and answer is told case by case as it is of those in a process of their own.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type ConformReport, conform, emulator, type HeapUnderTest } from '../../src/conform/index.ts'
import { few, reasonOf } from './hostile.ts'

const hostile = suite('conform: hostile factories')

async function run(make: () => unknown): Promise<ConformReport> {
  const report = await conform({ implementation: make as () => HeapUnderTest, face: ['growable'], ...few })
  assert.is(report.passed + report.failed + report.notApplicable + report.differing, few.rule.length)
  return report
}

function good(): HeapUnderTest {
  return emulator('compact-2013', 'retail')
}

hostile('a factory that makes nothing the first time is refused with the reason', async () => {
  const cases: [make: () => unknown, message: RegExp][] = [
    [
      () => {
        throw new Error('boom')
      },
      /cannot begin: Error: boom$/
    ],
    [() => null, /expected an object with functions such as HeapAlloc, got null$/],
    [async () => good(), /got a Promise/],
    [() => ({}), /has none of the functions/],
    [() => ({ memory: good().memory, malloc: () => 0 }), /has none of the functions/]
  ]
  for (const [make, message] of cases) {
    const error = await run(make).catch((thrown: unknown) => thrown as Error)
    assert.ok(error instanceof Error, String(make))
    assert.equal([error.name, message.test(error.message)], ['ConformError', true], error.message)
  }
})

hostile('a factory is told as what its answers are judged, as a module is', async () => {
  const told = new Set<string>()
  await conform({
    implementation: ({ profile, build }) => {
      told.add(`${profile} ${build}`)
      return emulator(profile, build)
    },
    profile: 'ce-5.0',
    build: 'debug',
    ...few
  })
  assert.equal([...told], ['ce-5.0 debug'])
})

hostile('a factory that fails later fails that case alone', async () => {
  let made = 0
  const report = await run(() => {
    if (made++ === 1) throw new Error('boom')
    return good()
  })
  assert.is(report.failed, 1)
  assert.match(reasonOf(report, 'blocks/two-apart'), /^Error: boom$/)
})

hostile('a close that throws fails the case that it ends, and hides no failure', async () => {
  const report = await run(() => ({
    ...good(),
    HeapFree: () => 0,
    close() {
      throw new Error('not yet')
    }
  }))
  assert.is(reasonOf(report, 'blocks/two-apart'), 'threw Error: not yet')
  assert.is(reasonOf(report, 'blocks/one-byte'), '0')
})

hostile('what is thrown or answered may be anything', async () => {
  const evil = {
    get constructor(): unknown {
      throw new Error('no name')
    }
  }
  const answers: [answer: () => unknown, reason: RegExp][] = [
    [() => evil, /^threw Error: no name$/],
    [() => new Uint8Array([1, 2]), /^answered an object \(Uint8Array\), which is no DWORD$/],
    [() => ({ hr: 0x20000 }), /^answered an object \(Object\), which is no DWORD$/],
    [
      () => {
        throw Object.create(null)
      },
      /^threw something that has no words$/
    ]
  ]
  for (const [HeapAlloc, reason] of answers) {
    const report = await run(() => ({ ...good(), HeapAlloc }))
    assert.match(reasonOf(report, 'blocks/one-byte'), reason)
  }
})

hostile('a last error that is no number is told as that', async () => {
  const report = await run(() => ({ ...good(), GetLastError: () => 'none' }))
  assert.is(reasonOf(report, 'blocks/one-byte'), 'GetLastError answered none, which is no DWORD')
})

hostile('memory that gives less than was asked for, or no bytes, passes nothing', async () => {
  for (const [read, reason] of [
    [() => new Uint8Array(), /^answered 0 bytes where 100 were asked$/],
    [() => 'abc', /^answered no bytes where 100 were asked$/]
  ] as const) {
    const subject = (): unknown => ({ ...good(), memory: { read, write: () => {} } })
    assert.match(reasonOf(await run(subject), 'blocks/two-apart'), reason)
  }
})

hostile('a size that no memory has is told before anybody writes as far as that', async () => {
  const report = await conform({
    implementation: () => ({ ...good(), HeapSize: () => 0xfffffffe }),
    face: ['growable'],
    rule: ['blocks/size-usable']
  })
  assert.is(reasonOf(report, 'blocks/size-usable'), '0xFFFFFFFE')
})

hostile.run()
