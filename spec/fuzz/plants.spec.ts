// The campaign must be able to fail: faults planted in front of the emulator are found within a stated number of calls, told in few, and repeated by the
// failure file and by the trace.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { fuzzFailure, fuzzThrough } from '../../src/fuzz/campaign.ts'
import { parseFailureFile } from '../../src/fuzz/failurefile.ts'
import type { FuzzFailure } from '../../src/fuzz/report.ts'
import type { Subject } from '../../src/fuzz/subject.ts'
import { attachThread, type CallRecord, createProcess, type ProcessOptions } from '../../src/index.ts'
import { planted, plants } from './plants.ts'

/** Makes the calls of a trace again, with the fault in front of them: the first whose answer is another one, undefined if none is. */
function differing({ trace }: FuzzFailure, plant: (typeof plants)[number]): CallRecord | undefined {
  const [head = '', ...lines] = trace.trimEnd().split('\n')
  const { profile, build, placement, memory, physical } = JSON.parse(head) as ProcessOptions
  const process = createProcess({ ...JSON.parse(JSON.stringify({ profile, build, placement, memory, physical })) })
  const threads: Subject[] = [process.thread, attachThread(process.share())].map((thread, n) => planted(plant)(thread, n))
  try {
    for (const line of lines) {
      const call = JSON.parse(line) as CallRecord
      const ce = threads[call.thread - 1] as unknown as Record<string, (...args: number[]) => number>
      if (ce[call.call]?.(...call.args) !== call.result) return call
    }
    return undefined
  } finally {
    process.close()
  }
}

const faults = suite('fuzz: planted faults')
for (const plant of plants) {
  faults(plant.what, async () => {
    const report = await fuzzThrough({ calls: plant.within, shrinkSeconds: 60 }, planted(plant))
    const { failure } = report
    assert.is(report.ok, false, `not found within ${plant.within} calls`)
    assert.ok(failure !== undefined && report.calls <= plant.within + 30_000)
    assert.ok(failure.left <= plant.left, `${failure.left} commands are left, ${plant.left} at most were expected:\n${failure.text}`)
    assert.match(failure.text, /^const (?:user|process) = /)
    assert.match(failure.text, /ce\[0\]\.HeapAlloc\(h0, 0, 0x40\)/)
    assert.is(failure.repeat, `ceheap fuzz --seed ${failure.seed} --runs 1`)

    const file = parseFailureFile(failure.file)
    const again = await fuzzFailure(file, {}, planted(plant))
    assert.is(again.failure?.message, failure.message, 'the failure file repeats it')
    const sound = await fuzzFailure(file)
    assert.is(sound.ok, true, `without the fault all is well, but: ${sound.failure?.message}`)
    assert.is(differing(failure, plant), undefined, 'the trace repeats it')
  })
}
faults.run()
