import { measure } from './measure.ts'
import { scenarios } from './scenarios.ts'

// One scenario with one subject in a process of its own: several allocators through the same code would spoil each other's
// compilation, and then the numbers would depend on the order of the rows.
const [scenarioName, subject, seconds] = process.argv.slice(2) as [string, string, string]
const scenario = scenarios.find((one) => one.name === scenarioName)
if (scenario === undefined) throw new Error(`no scenario ${JSON.stringify(scenarioName)}`)
const run = await scenario.prepare(subject)
run(1)
process.stdout.write(`${JSON.stringify(measure(run, Number(seconds)))}\n`)
