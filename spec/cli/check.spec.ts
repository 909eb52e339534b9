// ceheap check: what it prints, where, and its exit status; with input of every wrong kind.
import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, existsSync, openSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { ceheap, cli, type Ended, Folder, habits, root } from './run.ts'

const clean = `{"ceheap":"trace","version":1}
{"call":"HeapCreate","thread":1,"args":[0,4096,0],"result":65536}
{"call":"HeapAlloc","thread":1,"args":[65536,0,100],"result":131088}
{"call":"HeapFree","thread":1,"args":[65536,0,131088],"result":1}
{"call":"HeapDestroy","thread":1,"args":[65536],"result":1}
`
const folder = new Folder()

/** Status 2, a message that fits, no report and no stack trace. */
function refused({ status, out, err }: Ended, message: RegExp): void {
  assert.match(err, message)
  assert.is(status, 2)
  assert.is(out, '')
  assert.not.match(err, /\n\s+at |node:internal/)
}

const good = suite('ceheap check')

good('prints the report and ends with 1 where there are findings', () => {
  const { status, out, err } = ceheap(['check', habits])
  assert.is(status, 1)
  assert.match(out, /^Trace {6}examples\/desktop-habits\.wine-relay\.log\n/)
  assert.match(out, /34 findings \(3 errors, 5 warnings, 26 notes\)/)
  assert.is(err, '', 'nothing but results, and no progress where there is no terminal')
})

good('ends with 0 where there are none', () => {
  const { status, out } = ceheap(['check', '-'], { input: clean })
  assert.is(status, 0)
  assert.match(out, /No findings in 4 calls/)
})

good('a trace without memory calls is no clean one: nothing was checked', () => {
  const input = '{"ceheap":"trace","version":1}\n'
  const { status, out, err } = ceheap(['check', '-'], { input })
  assert.is(status, 2)
  assert.match(out, /Nothing was checked\.\n$/)
  assert.match(err, /<stdin>: nothing was checked, since the trace holds no memory calls/)
  assert.is(JSON.parse(ceheap(['check', '-', '--format', 'json'], { input }).out).summary.calls, 0)
})

good('reads standard input, gzipped too', () => {
  const input = readFileSync(join(root, 'examples/threads.wine-relay.log.gz'))
  const { status, out } = ceheap(['check', '-', '--severity', 'error'], { input })
  assert.is(status, 0)
  assert.match(out, /^Trace {6}<stdin>\n.*5,278 memory calls of 1 process, 5 threads/)
})

good('--format json prints nothing but JSON', () => {
  const { out, err } = ceheap(['check', habits, '--format', 'json'])
  const report = JSON.parse(out)
  assert.equal([report.version, report.summary.calls, report.trace.name], [1, 285, habits])
  assert.is(err, '')
})

good('--format sarif prints SARIF', () => {
  const log = JSON.parse(ceheap(['check', habits, '--format', 'sarif']).out)
  assert.is(log.version, '2.1.0')
  assert.match(log.runs[0].tool.driver.version, /^\d+\.\d+\.\d+/)
})

good('-o writes the report to a file and says so on stderr', () => {
  const path = join(folder.path, 'report.json')
  const { status, out, err } = ceheap(['check', habits, '--format', 'json', '-o', path])
  assert.equal([status, out], [1, ''])
  assert.match(err, /report\.json: 34 findings/)
  assert.is(JSON.parse(readFileSync(path, 'utf8')).summary.findings, 34)
})

good('the options reach the replay', () => {
  const args = ['--profile', 'ce-5.0', '--build', 'debug', '--placement', 'segregated', '--memory', '16MB', '--physical', '0x400000']
  const { target } = JSON.parse(ceheap(['check', habits, '--format', 'json', ...args]).out)
  assert.equal(target, {
    profile: 'ce-5.0',
    title: 'Windows CE 5.0',
    build: 'debug',
    placement: 'segregated',
    memory: 16 * 1024 * 1024,
    physical: 4 * 1024 * 1024
  })
})

good('what the header of a ceheap trace says of its process holds where no option says otherwise', () => {
  const target = (fields: object, ...args: string[]): Record<string, unknown> => {
    const input = clean.replace('"version":1', `"version":1,${JSON.stringify(fields).slice(1, -1)}`)
    return JSON.parse(ceheap(['check', '-', '--format', 'json', ...args], { input }).out).target
  }
  const header = { profile: 'ce-5.0', build: 'debug', placement: 'segregated', memory: 8 << 20, physical: 4 << 20 }
  assert.equal(target(header), { ...header, title: 'Windows CE 5.0' })
  const { profile, build, placement, memory, physical } = target(header, '--profile', 'compact-7', '--memory', '16MB')
  assert.equal([profile, build, placement, memory, physical], ['compact-7', 'debug', 'segregated', 16 << 20, 16 << 20])
  const strange = target({ profile: 'shop.exe', build: 7, placement: null, memory: -65536, physical: 'much' })
  assert.equal([strange.profile, strange.build, strange.placement, strange.memory], ['compact-2013', 'retail', 'segregated', 64 << 20])
  assert.is(target({ ...header, memory: 64 << 20 }).memory, 32 << 20, 'more than ce-5.0 has')
})

good('sizes are understood as people write them', () => {
  for (const [text, bytes] of [
    ['65536K', 2 ** 26],
    ['64mb', 2 ** 26],
    ['0.5GB', 2 ** 29],
    ['1 MB', 2 ** 20],
    ['0x100000', 2 ** 20],
    ['1048576', 2 ** 20]
  ] as const) {
    assert.is(JSON.parse(ceheap(['check', '-', '--memory', text, '--format', 'json'], { input: clean }).out).target.memory, bytes, text)
  }
})

good('--process takes the id in decimal or hexadecimal', () => {
  for (const id of ['32', '0x20']) assert.is(ceheap(['check', habits, '--process', id]).status, 1)
  refused(ceheap(['check', habits, '--process', '33']), /has no memory calls of process 33; it has those of 32 \(0x20\)/)
})

good('--severity decides what is a finding, for the exit status too', () => {
  assert.is(ceheap(['check', 'examples/threads.wine-relay.log.gz', '--severity', 'error']).status, 0)
  assert.is(ceheap(['check', 'examples/threads.wine-relay.log.gz', '--severity', 'warning']).status, 0)
  assert.is(ceheap(['check', 'examples/threads.wine-relay.log.gz', '--severity', 'note']).status, 1)
  assert.is(ceheap(['check', habits, '--severity', 'error']).status, 1)
})

good('a reader that stops early is no error', () => {
  for (const args of [['check', habits, '--format', 'json'], ['rules', '--format', 'json'], ['rules']]) {
    const { status, stderr } = spawnSync('sh', ['-c', `"$0" "$1" ${args.join(' ')} | head -n 1; true`, process.execPath, cli], {
      cwd: root,
      encoding: 'utf8'
    })
    assert.equal([status, stderr], [0, ''])
  }
})

good('a reader that stops early does not change what the exit status says', () => {
  const { stderr } = spawnSync(
    'sh',
    ['-c', `{ sleep 1; "$0" "$1" check ${habits} --format json; echo $? >&2; } | true`, process.execPath, cli],
    {
      cwd: root,
      encoding: 'utf8'
    }
  )
  assert.is(stderr, '1\n')
})

good('the text for a pipe has no colours and 80 columns', () => {
  const { out } = ceheap(['check', habits], { env: { ...process.env, COLUMNS: '200', NO_COLOR: undefined } as NodeJS.ProcessEnv })
  assert.not.ok(out.includes('\u001b'))
  assert.ok(out.split('\n').every((line) => line.length <= 80))
})

good.run()

const bad = suite('ceheap check: bad input')

bad('a file that is not there', () => refused(ceheap(['check', 'no-such.log']), /^ceheap: no-such\.log: no such file/))
bad('a directory', () => refused(ceheap(['check', 'examples']), /^ceheap: examples: is a directory/))
bad('an empty file', () => refused(ceheap(['check', folder.file('empty.log', '')]), /empty\.log: is empty, expected a Wine relay log/))
bad('empty standard input', () => refused(ceheap(['check', '-'], { input: '' }), /<stdin>: is empty/))
bad('a text of another kind', () => refused(ceheap(['check', 'package.json']), /package\.json: is of no known format/))

bad('binary noise', () => {
  const noise = Uint8Array.from({ length: 9999 }, (_, n) => (n * n * 31 + n * 7919) & 255)
  refused(ceheap(['check', folder.file('noise.bin', noise)]), /noise\.bin: is of no known format/)
})

bad('a trace of a version to come', () => {
  refused(ceheap(['check', '-'], { input: '{"ceheap":"trace","version":9}\n' }), /<stdin>: .*version 9/)
})

bad('a file that may not be read', () => {
  if (process.getuid?.() === 0 || process.platform === 'win32') return
  const path = folder.file('secret.log', clean)
  chmodSync(path, 0)
  refused(ceheap(['check', path]), /secret\.log: .*permission/i)
})

bad('a gzip member cut in the middle: what can be read is reported, the cut is told, the status is 2', () => {
  const whole = readFileSync(join(root, 'examples/threads.wine-relay.log.gz'))
  const path = folder.file('cut.log.gz', whole.subarray(0, whole.length >> 1))
  const { status, out, err } = ceheap(['check', path, '--severity', 'error'])
  assert.is(status, 2)
  assert.match(out, /Damaged {4}the gzip stream is cut after \d+ bytes/)
  assert.match(out, /\d,\d{3} memory calls/)
  assert.match(err, /cut\.log\.gz is damaged: the gzip stream is cut/)
  const json = ceheap(['check', path, '--format', 'json'])
  assert.is(json.status, 2, 'with findings too')
  assert.match(JSON.parse(json.out).damage.message, /gzip stream is cut/)
})

bad('a gzip member that holds nothing', () => {
  refused(ceheap(['check', folder.file('stub.gz', Uint8Array.of(0x1f, 0x8b, 8, 0))]), /stub\.gz: /)
})

bad('an output that cannot be written', () => {
  refused(
    ceheap(['check', habits, '-o', join(folder.path, 'no', 'such', 'x.txt')]),
    /x\.txt: cannot be written \(the folder does not exist\)/
  )
  refused(ceheap(['check', habits, '-o', folder.path]), /cannot be written \(it is a directory\)/)
})

bad('a report that would overwrite the recording', () => {
  const trace = folder.file('kept.jsonl', clean)
  symlinkSync(trace, join(folder.path, 'link.jsonl'))
  for (const name of ['kept.jsonl', 'link.jsonl']) {
    refused(ceheap(['check', trace, '-o', join(folder.path, name)]), /jsonl: is the recording itself, which the report would overwrite/)
  }
  assert.is(readFileSync(trace, 'utf8'), clean)
})

bad('standard output on a full disk', () => {
  if (!existsSync('/dev/full')) return
  const full = openSync('/dev/full', 'w')
  try {
    for (const command of [['check', habits], ['rules']]) {
      const { status, stderr } = spawnSync(process.execPath, [cli, ...command], {
        cwd: root,
        stdio: ['ignore', full, 'pipe'],
        encoding: 'utf8'
      })
      assert.equal([status, stderr], [2, 'ceheap: standard output: cannot be written (no space left)\n'], command[0])
    }
  } finally {
    closeSync(full)
  }
})

bad.run()

const args = suite('ceheap check: bad arguments')

for (const [given, message] of [
  [['check'], /missing required argument 'trace'/],
  [['check', 'a', 'b'], /too many arguments/],
  [['check', habits, '--profile', 'ce-9'], /argument 'ce-9' is invalid. Allowed choices are compact-2013/],
  [['check', habits, '--profil', 'ce-5.0'], /unknown option '--profil'\n\(Did you mean --profile\?\)/],
  [['check', habits, '--build', 'fast'], /Allowed choices are retail, debug/],
  [['check', habits, '--placement', 'x'], /Allowed choices are segregated, next-fit/],
  [['check', habits, '--severity', 'x'], /Allowed choices are error, warning, note/],
  [['check', habits, '--format', 'xml'], /Allowed choices are text, json, sarif/],
  [['check', habits, '--memory', 'lots'], /Expected a size such as 64MB, 65536K or 0x4000000/],
  [['check', habits, '--memory', '-1'], /Expected a size/],
  [['check', habits, '--memory', '1e9'], /Expected a size/],
  [['check', habits, '--memory', '100'], /memory: expected a multiple of 65536 bytes/],
  [['check', habits, '--memory', '4GB'], /memory: expected a multiple of 65536 bytes from 131072 to 2147483648/],
  [['check', habits, '--profile', 'ce-5.0', '--memory', '64MB'], /to 33554432 \(ce-5\.0\), got 67108864/],
  [['check', habits, '--physical', '5'], /physical: expected/],
  [['check', habits, '--process', 'x'], /Expected a process id/],
  [['check', habits, '--memory'], /argument missing/],
  [['chek'], /unknown command 'chek'\n\(Did you mean check\?\)/],
  [['--frobnicate'], /unknown option '--frobnicate'/]
] as const) {
  args(given.join(' '), () => refused(ceheap(given), message))
}

args.run()

const cleanUp = suite('ceheap check: cleaning up')
cleanUp('removes its files', () => folder.remove())
cleanUp.run()
