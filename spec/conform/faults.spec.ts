// The battery must be able to fail: faults planted in front of the emulator, each as somebody might have built it, are all found.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runBattery, trials } from '../../src/conform/battery.ts'
import { emulator } from '../../src/conform/emulator.ts'
import { reportOf } from '../../src/conform/report.ts'
import type { Good } from './fault.ts'
import { heapFaults } from './faultsheap.ts'
import { interfaceFaults } from './faultsinterfaces.ts'
import { pageFaults } from './faultspages.ts'

const faults = [...heapFaults, ...pageFaults, ...interfaceFaults]
const planted = suite('conform: a planted fault is found')

for (const { what, rule, profile = 'compact-2013', build = 'retail', plant } of faults) {
  planted(`${rule}: ${what}`, () => {
    const selected = trials({ profiles: [profile], builds: [build], rules: [rule] })
    const results = runBattery(selected, () => {
      const good = emulator(profile, build) as Good
      return { ...good, ...plant(good), close: () => good.close?.() }
    })
    const report = reportOf('faulty', results, { strict: true })
    const found = report.rules.find(({ id }) => id === rule)
    assert.is(found?.status, 'fail')
    assert.ok((found?.shortest?.sequence.length ?? 0) > 0, 'with the calls that show it')
    const by = report.results.filter(({ status, rules }) => status === 'fail' && rules.includes(rule)).map(({ id }) => id)
    process.stdout.write(`${rule} ${what}: ${by.join(', ')}\n`)
  })
}

planted('there are at least 90 of them, in every family of rules that the battery speaks of', () => {
  assert.ok(faults.length >= 90, String(faults.length))
  const families = new Set(faults.map(({ rule }) => rule.replace(/-.*/, '')))
  for (const family of 'FL HC CH HD HA HR HF HS HV HP GP LA LR LF LS LM GM VA VF VP VQ VX VL CS CM IM SP HO C'.split(' '))
    assert.ok(families.has(family), family)
})

planted.run()
