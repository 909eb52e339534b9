// Runs the compiled specs: node build/spec/run.js [part of a spec's name ...]
import { fileURLToPath } from 'node:url'
import { killRunning } from './runner/process.ts'
import { findSpecs, runSpecs } from './runner/specs.ts'

const built = fileURLToPath(new URL('.', import.meta.url))
const source = fileURLToPath(new URL('../../spec', import.meta.url))
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killRunning()
    process.exit(1)
  })
}
const { failed } = await runSpecs({
  specs: findSpecs(source, '.spec.ts', built, '.spec.js', process.argv.slice(2)),
  limits: { total: 180_000, linger: 10_000 },
  parallel: 2,
  write: (text) => process.stdout.write(text)
})
process.exitCode = failed === 0 ? 0 : 1
