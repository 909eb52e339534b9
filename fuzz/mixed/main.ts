import { seedOr } from '../property.ts'
import { runMixed } from './campaign.ts'

/** Milliseconds that shrinking a failure may take. */
const SHRINKING = 120_000

/** Runs the mixed campaign with a seed, drawn if none is given; prints what came of it and returns the exit status. */
export function mixedFor(calls: number, given: number | undefined): number {
  const seed = seedOr(given)
  const again = `npm run mixed -- --calls ${calls} --seed=${seed}`
  process.stdout.write(`mixed: seed ${seed}, ${calls} calls\n`)
  const from = performance.now()
  let shrinking: number | undefined
  const {
    calls: made,
    commands,
    failure
  } = runMixed({
    seed,
    calls,
    onProgress: (done) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${done} calls`)
    },
    goOn: () => {
      shrinking ??= performance.now()
      return performance.now() - shrinking < SHRINKING
    }
  })
  const took = ((shrinking ?? performance.now()) - from) / 1000
  if (process.stderr.isTTY) process.stderr.write('\r')
  if (failure === undefined) {
    process.stdout.write(`ok   ${made} calls by ${commands} commands in ${took.toFixed(1)} s, ${Math.round(made / took)} a second\n`)
    return 0
  }
  const left = failure.commands.length
  process.stdout.write(
    `\nFAIL ${failure.message}\n\n  command ${failure.command}, ${left} commands are left of those before it:\n\n${failure.text}\n`
  )
  process.stdout.write(`\n  again: ${again}\n`)
  return 1
}
