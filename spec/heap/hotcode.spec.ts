// The hot path is compiled by hand (npm run hot) and checked in: the bytes must be those of the source.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HOT_CODE, HOT_LOG_CODE } from '../../src/heap/hotcode.ts'

const hotcode = suite('the code of the hot path')

hotcode('is what src/heap/hot.as compiles to, with and without writing grants down', async () => {
  const hot = new URL('../../../.ci/hot.mjs', import.meta.url).href
  const { compileHot } = (await import(hot)) as { compileHot: (logs: boolean) => Promise<string> }
  for (const [logs, code] of [
    [false, HOT_CODE],
    [true, HOT_LOG_CODE]
  ] as const)
    assert.ok((await compileHot(logs)) === code, 'hot.as or a constant that it uses has changed since: npm run hot')
})

hotcode.run()
