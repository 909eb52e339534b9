// Proves the protocol of a section (src/machine/section.pml) with spin, and that the model can fail: every bug planted in it must be found.
//   npm run prove             two of the three threads may die
//   npm run prove -- --all    all three may (a minute and 1.5 GB more)
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const model = fileURLToPath(new URL('../src/machine/section.pml', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'ceheap-prove-'))
const mortals = process.argv.includes('--all') ? 3 : 2
const LIMIT = 600_000

const stuck = /invalid end state/
const wrong = /assertion violated/
const endless = /non-progress cycle/

const proofs = [
  { what: 'threads that live', flags: [] },
  { what: 'threads that live, no livelock', flags: [], progress: true },
  { what: `${mortals} of 3 threads may die, each again and again`, flags: [`-DMORTALS=${mortals}`], everyStep: true },
  { what: 'deaths that nobody tells of, with naps', flags: ['-DMORTALS=3', '-DUNBURIED', '-DNAPS'] }
]

const bugs = [
  { what: 'take: look, then store', flags: ['-DTAKE_IN_TWO'], found: wrong },
  { what: 'give: look, then store', flags: ['-DGIVE_IN_TWO'], found: stuck },
  { what: 'leave without a wake', flags: ['-DNO_WAKE'], found: stuck },
  { what: 'wake before the exchange', flags: ['-DWAKE_FIRST'], found: stuck },
  { what: 'WAITERS set by a store', flags: ['-DMARK_BY_STORE'], found: stuck },
  { what: 'a woken waiter takes the word without WAITERS', flags: ['-DDROP_WAITERS'], found: stuck },
  { what: 'falling asleep without a look at the word', flags: ['-DBLIND_PARK'], found: stuck },
  { what: 'who runs out of time clears WAITERS', flags: ['-DTIMEOUT_CLEARS'], found: stuck },
  { what: 'who gave up waiting keeps the wake-up that came to it', flags: ['-DQUIET_QUITTER'], found: stuck },
  { what: 'the compare-exchange tried again with the old word', flags: ['-DSTALE_RETRY'], found: endless, progress: true },
  { what: 'takeover without clearing the count', flags: ['-DMORTALS=2', '-DKEEP_COUNT'], found: wrong },
  { what: 'takeover by the state in the thread table', flags: ['-DMORTALS=2', '-DBY_TABLE'], found: wrong },
  { what: 'an orphan taken for the own section by a new thread of that id', flags: ['-DMORTALS=2', '-DOWN_ORPHAN'], found: wrong },
  { what: 'a section freed although its mending failed', flags: ['-DMORTALS=2', '-DFREE_UNMENDED'], found: wrong },
  { what: 'a burial without wake-all', flags: ['-DMORTALS=2', '-DNO_WAKE_ALL'], found: stuck },
  { what: 'deaths that nobody tells of, without naps', flags: ['-DMORTALS=3', '-DUNBURIED'], found: wrong }
]

function need(command, argument) {
  const { error, status } = spawnSync(command, [argument], { stdio: 'ignore' })
  if (error !== undefined || status !== 0) throw new Error(`needs ${command}: .ci/install gets it (Debian package "${command}")`)
}

/** Builds the verifier of one variant, runs it and gives what it found. */
function verify({ flags, progress }) {
  const options = { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT, maxBuffer: 1 << 26 }
  execFileSync('spin', ['-a', ...flags, model], options)
  // COLLAPSE halves the memory; NFAIR counts the processes of the weak fairness.
  const kind = progress ? ['-DNP', '-DNFAIR=3'] : ['-DSAFETY', '-DCOLLAPSE']
  execFileSync('gcc', ['-O2', '-w', ...kind, '-DMEMLIM=6000', '-o', 'pan', 'pan.c'], options)
  const report = execFileSync(join(work, 'pan'), [...(progress ? ['-l', '-f'] : []), '-m4000000'], options)
  const number = (pattern) => Number(report.match(pattern)?.[1] ?? Number.NaN)
  const error = report.match(/^pan:\d+: (.*)$/m)?.[1]
  if (error === undefined && /out of memory|max search depth too small|search not completed/i.test(report))
    throw new Error(`spin could not finish:\n${report}`)
  return {
    report,
    error,
    errors: number(/errors: (\d+)/),
    states: number(/(\d+) states, stored/),
    seconds: number(/elapsed time ([\d.]+)/),
    // The end of a loop that has none is the only place that may stay unreached.
    unreached: [...report.matchAll(/^\t\S+:\d+, state \d+, "(.*)"$/gm)].map((match) => match[1]).filter((text) => text !== '-end-')
  }
}

/** The last steps that led to what the last verifier found. */
function trail(flags) {
  const { stdout } = spawnSync('spin', ['-t', '-p', ...flags, model], { cwd: work, encoding: 'utf8', maxBuffer: 1 << 26 })
  return (stdout ?? '').split('\n').slice(-80).join('\n')
}

const count = (number) => number.toLocaleString('en-US')
let failures = 0
try {
  need('spin', '-V')
  need('gcc', '--version')
  for (const proof of proofs) {
    const { report, error, errors, states, seconds, unreached } = verify(proof)
    const idle = proof.everyStep ? unreached : []
    if (errors === 0 && states > 0 && idle.length === 0) console.log(`ok   proven   ${proof.what}: ${count(states)} states, ${seconds} s`)
    else {
      failures++
      console.log(`FAIL proven   ${proof.what}: ${error ?? (idle.length > 0 ? `never reached: ${idle.join('; ')}` : report)}`)
      if (error !== undefined) console.log(trail(proof.flags))
    }
  }
  for (const bug of bugs) {
    const { error, states } = verify(bug)
    if (error !== undefined && bug.found.test(error))
      console.log(`ok   refuted  ${bug.what}: ${error.replace(/\s+/g, ' ')}, after ${count(states)} states`)
    else {
      failures++
      console.log(`FAIL refuted  ${bug.what}: expected ${bug.found}, got ${error ?? `no error in ${count(states)} states`}`)
    }
  }
  console.log(`${proofs.length} proofs and ${bugs.length} planted bugs, ${failures} failed`)
} catch (error) {
  failures++
  console.error(`prove: ${error.message}${error.stdout ?? ''}${error.stderr ?? ''}`)
} finally {
  rmSync(work, { recursive: true })
}
process.exitCode = failures === 0 ? 0 : 1
