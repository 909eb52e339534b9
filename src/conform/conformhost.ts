// The process that a JavaScript or wasm implementation lives in: it answers calls on standard input as a command does (protocol.ts), so that
// whatever the implementation does (hang, end the process, run out of memory) happens to this process alone.
import { createInterface } from 'node:readline'
import type { Build, ProfileName } from '../profile.ts'
import { batteryCalls } from './batterycalls.ts'
import { SubjectFault, thrown } from './interpret.ts'
import { type SubjectMaker, subjectMaker } from './loader.ts'
import { bytesOf, hexOf, type ProtocolCall, protocolVersion } from './protocol.ts'
import { Session } from './session.ts'

const path = process.argv[2] ?? ''
const write = process.stdout.write.bind(process.stdout)
const say = (value: object): void => void write(`${JSON.stringify(value)}\n`)

let maker: SubjectMaker | undefined
let session: Session | undefined

async function greet({ profile, build }: { profile: ProfileName; build: Build }): Promise<void> {
  try {
    maker = await subjectMaker(path, { profile, build })
    session = new Session(maker.make())
    const names = batteryCalls.filter((name) => session?.offers(name) === true)
    if (session.offers('bytes')) names.push('read', 'write')
    const functions = [...names.filter((name) => name !== 'secondThread'), ...(maker.fresh ? ['reset'] : [])]
    say({ ceheap: 'conform', version: protocolVersion, functions, threads: names.includes('secondThread') ? 2 : 1 })
  } catch (error) {
    say({ ceheap: 'conform', version: protocolVersion, failure: thrown(error) })
  }
}

function answer(line: ProtocolCall): void {
  const { call, thread, args } = line
  const echo = { call, thread, args }
  try {
    if (call === 'reset') {
      session?.subject.close?.()
      session = new Session((maker as SubjectMaker).make())
      say({ ...echo, result: 0 })
    } else if (call === 'read') {
      say({ ...echo, result: 0, bytes: hexOf((session as Session).read(args[0] as number, args[1] as number)) })
    } else if (call === 'write') {
      session?.write(args[0] as number, bytesOf(line.bytes) ?? new Uint8Array())
      say({ ...echo, result: 0 })
    } else {
      const { value, out, lastError } = (session as Session).answer({ call, thread, args, out: 0 })
      say({ ...echo, result: value, ...(lastError === undefined ? {} : { lastError }), ...(out.length > 0 ? { out } : {}) })
    }
  } catch (error) {
    say({ ...echo, threw: error instanceof SubjectFault ? error.message : `threw ${thrown(error)}` })
  }
}

// In the order in which they come: a greeting loads a module, and calls follow only once it is answered.
createInterface({ input: process.stdin })
  .on('line', (text) => {
    const line = JSON.parse(text) as ProtocolCall & { ceheap?: string; profile: ProfileName; build: Build }
    if (line.ceheap === undefined) answer(line)
    else void greet(line)
  })
  .on('close', () => process.exit())
