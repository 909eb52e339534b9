// An access to user memory that an error ends: the program's own lets go of all that it was in, one in the midst of a call leaves that to the call.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { attachThread, createProcess } from '../../src/index.ts'
import { HDR } from '../../src/machine/layout.ts'
import { enter, isOwn, leave } from '../../src/machine/section.ts'
import { underScissors } from './scissors.ts'

const GUARD = 0x104

const border = suite('an access that sets off a guard, ended by an error at any store')

for (const inside of [false, true]) {
  border(
    inside ? 'inside the process section: it stays entered, for the call that entered it' : 'of the program: nothing stays entered',
    () => {
      let steps = Number.POSITIVE_INFINITY
      for (let k = -1; k < steps; k++) {
        const process = createProcess({ memory: 1 << 20 })
        const ce = attachThread(process.share())
        const page = ce.VirtualAlloc(0, 0x1000, 0x3000, GUARD)
        const { machine, tid } = ce
        if (inside) enter(machine, HDR.LOCK, tid)
        const scissors = underScissors(ce)
        scissors.once = true
        if (k >= 0) scissors.limit = k
        assert.throws(() => scissors.during(() => ce.memory.readU8(page)), k < 0 ? /guard page/ : /cut off/)
        if (k < 0) steps = scissors.steps
        assert.is(isOwn(machine.sys[HDR.LOCK] as number, tid), inside, `${k}`)
        if (inside && k >= 0) {
          // As the border of that call does.
          machine.adrift = true
          machine.abandon?.()
        } else if (inside) leave(machine, HDR.LOCK)
        assert.is(machine.sys[HDR.LOCK], 0)
        process.check()
        ce.detach()
      }
      assert.ok(steps > 2)
    }
  )
}
border.run()
