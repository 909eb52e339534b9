// Spec files with one fault each, all of which uvu alone passes over or waits on for ever. They stand apart from the spec that plants
// them because the runner reads the source text of specs.

import type { Limits } from './process.ts'

/** A planted spec file: its text after the import of uvu, and what the runner must say of it. */
export interface Plant {
  readonly fault: string
  readonly text: string
  readonly says: RegExp
  /** Shorter bounds, where reaching one is the point. */
  readonly limits?: Partial<Limits>
}

export const sound = "const s = suite('sound')\ns('one', () => {})\ns('two', () => {})\ns.run()\n"

/** Three tests of which two fail. */
export const failing =
  "const s = suite('f')\nfor (const n of [1, 2, 3]) s('t' + n, () => { if (n > 1) throw new Error('planted') })\ns.run()\n"

export const skipping = "const s = suite('p')\ns('one', () => {})\ns.skip('two', () => {})\ns.run()\n"

const passing = "s('passes', () => {})\n"

export const plants: readonly Plant[] = [
  {
    fault: 'a failing assertion',
    text: `const s = suite('p')\n${passing}s('fails', () => { throw new Error('planted') })\ns.run()\n`,
    says: /1 of 2 tests did not pass[\s\S]*planted/
  },
  {
    fault: 'an exit code that is not 0 after tests that pass',
    text: `const s = suite('p')\n${passing}s.run()\nprocess.on('exit', () => { process.exitCode = 3 })\n`,
    says: /exit code 3 although no test failed/
  },
  { fault: 'a file without any suite', text: 'export {}\n', says: /no closing totals/ },
  { fault: 'a suite without any test', text: "const s = suite('p')\ns.run()\n", says: /no test ran/ },
  { fault: 'a forgotten .run()', text: `const s = suite('p')\n${passing}`, says: /no closing totals/ },
  {
    fault: 'a forgotten .run() beside a suite that runs',
    text: `const s = suite('p')\n${passing}s.run()\nconst other = suite('q')\nother('is lost', () => {})\n`,
    says: /the suite "other" is declared but \.run\(\) was forgotten/
  },
  {
    fault: 'a suite that no variable keeps',
    text: `const s = suite('p')\n${passing}s.run()\nsuite('q')('is lost', () => {})\n`,
    says: /a suite is not kept in a variable/
  },
  {
    fault: 'a test added after .run()',
    text: `const s = suite('p')\n${passing}s.run()\ns('is lost', () => {})\n`,
    says: /a test is added to "s" after its \.run\(\)/
  },
  {
    fault: 'a test that throws a string',
    text: `const s = suite('p')\n${passing}s('throws', () => { throw 'planted' })\ns.run()\n`,
    says: /1 of 2 tests did not pass, without a report/
  },
  {
    fault: 'a test that throws undefined',
    text: "const s = suite('p')\ns('throws', () => { throw undefined })\ns.run()\n",
    says: /1 of 1 tests did not pass, without a report/
  },
  {
    fault: 'a before hook that throws',
    text: `const s = suite('p')\ns.before(() => { throw new Error('planted') })\n${passing}s.run()\n`,
    says: /a before hook threw/
  },
  {
    fault: 'an after hook that throws',
    text: `const s = suite('p')\ns.after(() => { throw new Error('planted') })\n${passing}s.run()\n`,
    says: /no closing totals[\s\S]*planted/
  },
  {
    fault: 'a failure in an early batch of suites',
    text:
      "const s = suite('p')\ns('fails', () => { throw new Error('planted') })\ns.run()\nawait new Promise((go) => setTimeout(go, 50))\n" +
      "const other = suite('q')\nother('passes', () => {})\nother.run()\n",
    says: /did not pass[\s\S]*planted/
  },
  {
    fault: 'a process that ends in the middle of a test',
    text: "const s = suite('p')\ns('ends', () => process.exit(0))\ns.run()\n",
    says: /no closing totals/
  },
  {
    fault: 'a promise that never settles',
    text: "const s = suite('p')\ns('waits', () => new Promise(() => {}))\ns.run()\n",
    says: /no closing totals/
  },
  { fault: 'a file that does not load', text: "import './missing.js'\n", says: /Cannot find module/ },
  {
    fault: 'a test that never ends',
    text: "const s = suite('p')\ns('sleeps', () => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })\ns.run()\n",
    says: /killed: still running after the time limit of 1 s/,
    limits: { total: 1_000 }
  },
  {
    fault: 'a process that outlives its tests',
    text: `const s = suite('p')\n${passing}s.run()\nsetInterval(() => {}, 1000)\n`,
    says: /killed: the tests ended but the process did not, 0.2 s later/,
    limits: { linger: 200 }
  },
  {
    fault: 'a child process that holds the output open',
    text:
      "import { spawn } from 'node:child_process'\n" +
      `spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }).unref()\nconst s = suite('p')\n${passing}s.run()\n`,
    says: /killed: the tests ended but the process did not, 0.2 s later/,
    limits: { linger: 200 }
  }
]
