// A workload with a race planted in it, for `ceheap stress --workload examples/racy-mailbox.mjs --schedule pct:1:3 --runs 100`: a mailbox
// for one block. Whoever finds it empty puts a block in, whoever finds it full takes the block out and frees it. The section is left too early:
// between looking into the mailbox and emptying it another thread may look in as well, and then both free the same block.
export const name = 'racy-mailbox'

const SECTION = 32

export function setup(ce) {
  const section = ce.LocalAlloc(0x40, SECTION + 4) // zeroed
  ce.InitializeCriticalSection(section)
  return { section, mailbox: section + SECTION }
}

export function run({ ce, data: { section, mailbox }, more }) {
  while (more()) {
    ce.EnterCriticalSection(section)
    const found = ce.memory.readU32(mailbox)
    if (found === 0) ce.memory.writeU32(mailbox, ce.LocalAlloc(0, 100))
    ce.LeaveCriticalSection(section) // two lines too early
    if (found !== 0) {
      ce.memory.writeU32(mailbox, 0)
      ce.LocalFree(found)
    }
  }
}

export function finish(ce, { section, mailbox }) {
  const left = ce.memory.readU32(mailbox)
  if (left !== 0) ce.LocalFree(left)
  ce.DeleteCriticalSection(section)
  ce.LocalFree(section)
}
