// A second reader of relay logs, written for the specs alone: a whole file in memory, regular expressions, one array a thread. It knows
// complete recordings only, and stops at the first return that does not belong to the innermost open call.
import type { TraceEvent } from '../../src/trace/index.ts'

interface Open {
  readonly name: string
  readonly site: string
  readonly text: string
  readonly line: number
  readonly own: boolean
}

const renamed: Readonly<Record<string, string>> = {
  RtlAllocateHeap: 'HeapAlloc',
  RtlFreeHeap: 'HeapFree',
  RtlReAllocateHeap: 'HeapReAlloc',
  RtlSizeHeap: 'HeapSize',
  RtlValidateHeap: 'HeapValidate',
  RtlLockHeap: 'HeapLock',
  RtlUnlockHeap: 'HeapUnlock',
  RtlInitializeCriticalSection: 'InitializeCriticalSection',
  RtlDeleteCriticalSection: 'DeleteCriticalSection'
}
const win32 =
  /^(Heap(Alloc|Create|Destroy|Free|Lock|Unlock|Validate)|GetProcessHeaps|(Local|Global)(Alloc|Free|ReAlloc|Lock|Unlock)|Virtual(Alloc|Free))$/
const opener = /^(KERNEL32\.BaseThreadInitThunk|msvcrt\.(_initterm|_onexit|exit))$/

function win32Name(name: string): string | undefined {
  const [module = '', plain = ''] = name.split('.')
  if (module === 'ntdll') return renamed[plain]
  if (module === 'msvcrt') return plain === 'malloc' ? plain : undefined
  return win32.test(plain) ? plain : undefined
}

/** The app's memory calls, by the line of the call, and how many lines and calls of the app are something else. */
export function readNaively(log: string): { events: TraceEvent[]; skipped: number } {
  const stacks = new Map<string, Open[]>()
  const events: TraceEvent[] = []
  let skipped = 0
  log.split('\n').forEach((text, index) => {
    const head = /^([0-9a-f]{4}):([0-9a-f]{4}):(.*)$/.exec(text)
    if (head === null) {
      if (text !== '') skipped++
      return
    }
    const [, process = '', thread = '', rest = ''] = head
    const key = `${process}:${thread}`
    const stack = stacks.get(key) ?? []
    stacks.set(key, stack)
    const mark = /^(Call |Ret {2})([^(]+)\(/.exec(rest)
    if (mark === null) {
      if (!rest.startsWith('Starting thread')) skipped++
      return
    }
    const name = mark[2]!
    const site = / ret=([0-9a-f]+)$/.exec(rest)?.[1] ?? ''
    if (mark[1] === 'Call ') {
      const beneath = stack.at(-1)
      const own = beneath === undefined || beneath.site === '' || opener.test(beneath.name)
      stack.push({ name, site, text: rest, line: index + 1, own })
      if (own && site !== '' && !opener.test(name) && win32Name(name) === undefined) skipped++
      return
    }
    const open = stack.pop()
    if (open?.name !== name || open.site !== site) throw new Error(`line ${index + 1}: ${name} returns, ${open?.name} is open`)
    const call = win32Name(name)
    if (!open.own || call === undefined) return
    const args = /\((.*)\) ret=/.exec(open.text)![1]!
    const printed = Number(`0x${/retval=([0-9a-f]+)/.exec(rest)![1]}`)
    events.push({
      call,
      thread: Number(`0x${thread}`),
      args: args === '' ? [] : args.split(',').map((value) => Number(`0x${value}`)),
      result: call.endsWith('CriticalSection') ? undefined : printed,
      process: Number(`0x${process}`),
      site,
      via: name.startsWith('KERNEL32') ? '' : name,
      position: open.line
    })
  })
  return { events: byPosition(events), skipped }
}

/** In the order of their lines. */
export function byPosition(events: readonly TraceEvent[]): TraceEvent[] {
  return [...events].sort((a, b) => a.position - b.position)
}
