// Any calls in any order: heaps of every kind beside the app's own ledger of what it holds and wrote (fuzz/campaign.ts).
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { runCase } from '../../fuzz/campaign.ts'
import { cases } from '../../fuzz/commands.ts'
import { property } from '../../fuzz/property.ts'

const invariants = suite('any calls in any order')

invariants(
  'blocks never overlap, move or lose bytes (HA-3, HI-1); failures change nothing and have a reason (HR-7, C-3); every invariant holds throughout',
  () => {
    let calls = 0
    property(
      'heap/invariants',
      cases,
      (one) => {
        calls += runCase(one)
      },
      { runs: 150 }
    )
    assert.ok(calls > 0)
  }
)
invariants.run()
