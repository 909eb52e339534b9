// section.pml proves the protocol of a section (npm run prove). A proof of a model is worth what the model has to do with the code:
// each of its steps quotes the code that it stands for, and that code must be there, as it is quoted.
import { readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const model = read('src/machine/section.pml')

const places: Readonly<Record<string, string>> = {
  'hot.as': 'src/heap/hot.as',
  'section.ts': 'src/machine/section.ts',
  'enterlater.ts': 'src/machine/enterlater.ts',
  'threads.ts': 'src/machine/threads.ts',
  'wait.ts': 'src/machine/wait.ts',
  'death.ts': 'src/coredll/death.ts'
}

interface Quote {
  readonly file: string
  readonly code: string
}

/** Every piece of code between backquotes, with the file that its comment names. */
function quotes(text: string): Quote[] {
  return [...text.matchAll(/\/\*([\s\S]*?)\*\//g)].flatMap(([, comment = '']) => {
    const file = comment.match(/^\s*([\w.]+\.(?:ts|as)): /)?.[1]
    return file === undefined ? [] : [...comment.matchAll(/`([^`]+)`/g)].map(([, code = '']) => ({ file, code }))
  })
}

function stale(quoted: readonly Quote[]): string[] {
  return quoted.filter(({ file, code }) => !read(places[file] ?? file).includes(code)).map(({ file, code }) => `${file}: ${code}`)
}

const protocol = suite('the model of a section')

protocol('quotes code that is there', () => {
  assert.equal(stale(quotes(model)), [])
})

protocol('quotes every step that the code of a section makes on its two words', () => {
  const quoted = quotes(model).map(({ code }) => code)
  const steps = read(places['section.ts'] ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /Atomics\.|machine\.(?:take|give)\(|\b(?:wakeOne|wakeAll|park|spin|backOff)\(|sys\[at \+ 1\] = /.test(line))
  // tryEnter is a take, a recursion or a takeover, each of them a step of `enter` too.
  for (const line of steps)
    assert.ok(
      quoted.some((code) => line.includes(code)),
      `no step of section.pml quotes: ${line}`
    )
  assert.ok(steps.length > 10)
})

protocol('an altered line is noticed', () => {
  const altered = model.replace('machine.take(at << 2, who)', 'machine.take(at, who)')
  assert.equal(stale(quotes(altered)), ['section.ts: const seen = machine.take(at, who)'])
})
protocol.run()
