// Lines of a relay log as specs write them: every call with its return.
import { read, type WholeTrace } from './read.ts'

/** A Call and a Ret line with `inside` between them. */
export function call(name: string, args: string, result: string, site: string, inside: string[] = [], thread = '0020:0024'): string[] {
  return [`${thread}:Call ${name}(${args}) ret=${site}`, ...inside, `${thread}:Ret  ${name}() retval=${result} ret=${site}`]
}

export const alloc = (result: string, site = '140001000', thread?: string): string[] =>
  call('ntdll.RtlAllocateHeap', '00340000,00000008,00000010', result, site, [], thread)
export const free = (block: string, site = '140002000', thread?: string): string[] =>
  call(
    'KERNEL32.HeapFree',
    `00340000,00000000,${block}`,
    '00000001',
    site,
    call('ntdll.RtlFreeHeap', `00340000,00000000,${block}`, '00000001', '1700484ff', [], thread),
    thread
  )

export const readLines = (...lines: (string | string[])[]): Promise<WholeTrace> => read(`${lines.flat().join('\n')}\n`)
