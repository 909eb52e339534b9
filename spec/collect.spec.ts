// What the processes of a campaign leave behind is bounded, whatever the garbage collector thinks of it.
import { spawnSync } from 'node:child_process'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const collecting = suite('memory of closed processes')

/** Megabytes that stay after 120 processes of 4 MB, where no collector works beside the program: as on a machine that leaves its threads no time. */
function peak(told: boolean): number {
  const text = `
import { createProcess } from '${new URL('../src/index.js', import.meta.url).href}'
import { processEnded } from '${new URL('../src/collect.js', import.meta.url).href}'
for (let n = 0; n < 120; n++) {
  const process = createProcess({ memory: 4 << 20 })
  process.thread.memory.bytes.fill(1)
  process.close()
  if (${told}) processEnded(4 << 20)
}
console.log(process.resourceUsage().maxRSS >> 10)
`
  const args = ['--no-incremental-marking', '--input-type=module', '-e', text]
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 })
  assert.match(stdout, /^\d+\n$/, stderr)
  return Number(stdout)
}

collecting('a campaign that tells of them keeps 128 MB of user memory at most', () => {
  const [bounded, unbounded] = [peak(true), peak(false)]
  assert.ok(bounded < 350, `${bounded} MB`)
  assert.ok(unbounded > 1.5 * bounded, `${unbounded} MB where nobody tells, so that this would be seen`)
})
collecting.run()
