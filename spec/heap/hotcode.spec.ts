// The hot path is compiled by hand (npm run hot) and checked in: the bytes must be those of the source.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { HOT_CODE } from '../../src/heap/hotcode.ts'

const hotcode = suite('the code of the hot path')

hotcode('is what src/heap/hot.as compiles to', async () => {
  const { compileHot } = (await import(new URL('../../../.ci/hot.mjs', import.meta.url).href)) as { compileHot: () => Promise<string> }
  assert.ok((await compileHot()) === HOT_CODE, 'hot.as or a constant that it uses has changed since: npm run hot')
})

hotcode.run()
