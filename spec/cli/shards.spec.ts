// The campaign over many machines as the README shows it: its very commands, run by a shell with the variables that each service sets.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { cli, type Ended, Folder, outsideCi, root } from './run.ts'

const folder = new Folder()
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const shards = 3

// `npx ceheap` is the built command; with FAULTY it has a fault in it.
const plant = fileURLToPath(new URL('./plant.js', import.meta.url))
const bin = join(folder.path, 'bin')
mkdirSync(bin)
chmodSync(folder.file('bin/npx', `#!/bin/sh\nshift\nexec "${process.execPath}" \${FAULTY:+--import "${plant}"} "${cli}" "$@"\n`), 0o755)

function shell(command: string, cwd: string, variables: NodeJS.ProcessEnv = {}): Ended {
  const env = { ...outsideCi(), PATH: `${bin}:${process.env.PATH}`, ...variables }
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { cwd, env, encoding: 'utf8', timeout: 120_000 })
  return { status, out: stdout, err: stderr }
}

/** The snippet that has a text in it. */
function snippet(mark: string): string {
  const found = readme.match(/```yaml\n[\s\S]*?```/g)?.filter((text) => text.includes(mark)) ?? []
  assert.is(found.length, 1, `${mark} is in ${found.length} snippets`)
  return found[0] as string
}

function only(text: string, what: RegExp): string {
  const found = [...text.matchAll(new RegExp(what, 'gm'))].map((match) => match[1] as string)
  assert.is(found.length, 1, `${what}: ${found.join(' | ')}`)
  return found[0] as string
}

/** The same with little to do. */
function small(command: string): string {
  const less = command.replace('--calls 1000000000', '--calls 900 --commands 100').replace('--seconds 3600', '--runs 7 --commands 50')
  assert.not.equal(less, command, 'a bound is replaced')
  return less
}

function place(name: string): string {
  const path = join(folder.path, name)
  mkdirSync(path)
  return path
}

/** Merges with a snippet's command; what is whole ends with 0. */
function merges(command: string, where: string, kind: RegExp): void {
  const { status, out, err } = shell(command, where)
  assert.is(status, 0, err)
  const { ok, shard, runs } = JSON.parse(out)
  assert.equal([ok, shard], [true, `1-${shards}/${shards}`])
  assert.ok(runs >= shards)
  assert.is(readdirSync(where).filter((name) => kind.test(name)).length, shards)
}

const services = suite('ceheap fuzz on many machines')

services('a GitHub matrix', () => {
  const text = snippet('.github/workflows')
  const [fuzz, merge] = [only(text, /^ +- run: (npx ceheap fuzz --.*)$/), only(text, /^ +- run: (npx ceheap fuzz merge .*)$/)]
  const matrix = JSON.parse(only(text, /matrix: \{ shard: (\[.*?\]) \}/)) as number[]
  assert.ok(fuzz.includes(`--shard \${{ matrix.shard }}/${matrix.length} `), 'as many shards as the matrix has')
  assert.equal(
    matrix,
    Array.from({ length: matrix.length }, (_, n) => n + 1)
  )
  const where = place('github')
  for (let shard = 1; shard <= shards; shard++) {
    const command = small(fuzz)
      .replaceAll(/\$\{\{ matrix\.shard \}\}/g, String(shard))
      .replace(`/${matrix.length} `, `/${shards} `)
      .replaceAll(/\$\{\{ github\.run_number \}\}/g, '77')
    assert.not.match(command, /\$\{\{/)
    assert.is(shell(command, where).status, 0)
  }
  merges(merge, where, /^fuzz-\d\.json$/)
})

services("GitLab's parallel jobs", () => {
  const text = snippet('.gitlab-ci.yml')
  const [fuzz, merge] = [only(text, /^ {2}script: (npx ceheap fuzz --.*)$/), only(text, /^ {2}script: (npx ceheap fuzz merge .*)$/)]
  assert.match(text, /^ {2}parallel: [1-9]\d*$/m)
  const where = place('gitlab')
  for (let node = 1; node <= shards; node++) {
    const variables = { CI_NODE_INDEX: String(node), CI_NODE_TOTAL: String(shards), CI_PIPELINE_ID: '12345678901' }
    const { status, err } = shell(small(fuzz), where, variables)
    assert.is(status, 0, err)
  }
  merges(merge, where, /^fuzz-\d\.json$/)
})

services('a Kubernetes Indexed Job: a pod that finds a failure has done its work, one that cannot work has not', () => {
  const text = snippet('completionMode: Indexed')
  const command = only(text, /command: \[sh, -c, '(.*)'\]$/)
  const completions = only(text, /^ {2}completions: (\d+)$/)
  assert.ok(command.includes(`--shard-count ${completions} `), 'as many shards as completions')
  const pod = (where: string, index: number, variables: NodeJS.ProcessEnv = {}): Ended =>
    shell(small(command).replace(`--shard-count ${completions} `, `--shard-count ${shards} `).replaceAll('/results', where), folder.path, {
      JOB_COMPLETION_INDEX: String(index),
      ...variables
    })
  const [good, bad] = [place('pods'), place('badpods')]
  for (let index = 0; index < shards; index++) {
    const { status, err } = pod(good, index)
    assert.is(status, 0, err)
    assert.is(pod(bad, index, index === 1 ? { FAULTY: '1' } : {}).status, 0)
  }
  merges('npx ceheap fuzz merge fuzz-*.json', good, /^fuzz-\d\.json$/)
  const merged = shell('npx ceheap fuzz merge fuzz-*.json', bad)
  assert.is(merged.status, 1)
  assert.match(merged.err, /^1 of 3 shards failed:\nshard 2\/3: .*\n {2}again: ceheap fuzz --seed 2 --runs 1 --commands 50\n$/)
  assert.ok(readdirSync(bad).includes('ceheap-fuzz-2.json'), 'the failure file is kept beside the results')
  assert.is.not(pod(good, shards).status, 0, 'an index that is no shard')
})
services.after(() => folder.remove())
services.run()
