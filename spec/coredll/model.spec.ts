// Any calls in any order, right and wrong ones, beside the model: every result and every last error.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { property } from '../../fuzz/property.ts'
import { command } from './commands.ts'
import { Pair } from './pair.ts'
import { places } from './world.ts'

const model = suite('the model')
let calls = 0

for (const place of places) {
  model(
    `every answer and last error is the model's, whatever is called: HC-3, HA-2 to HA-7, HR-2 to HR-8, HF-5, HS-3 to HS-5, HV-4, LA-2, LR-2 to LR-6, LF-1, LS-3 [${place.name}]`,
    () => {
      property(
        'coredll/model',
        fc.array(command, { minLength: 1, maxLength: 600, size: 'max' }),
        (commands) => {
          const pair = new Pair(place)
          commands.forEach((one, n) => {
            try {
              pair.run(one)
            } catch (error) {
              throw new Error(`${place.name}: call ${n + 1}, ${JSON.stringify(one)}: ${told(error)}`)
            }
          })
          try {
            pair.agree()
          } catch (error) {
            throw new Error(`${place.name}: in the end: ${told(error)}`)
          }
          calls += commands.length
        },
        { runs: 9, within: 20_000 }
      )
    }
  )
}

model('about 20,000 calls were compared', () => {
  assert.ok(calls > 12_000 || process.env.CEHEAP_PATH, String(calls))
})

model.run()

/** What an assertion found, in one line. */
function told(error: unknown): string {
  const { message, actual, expects } = error as { message: string; actual?: unknown; expects?: unknown }
  return `${message} (the emulator ${JSON.stringify(actual)}, the model ${JSON.stringify(expects)})`
}
