import type { Draw } from './draw.ts'
import { LABELS } from './pressure.ts'
import type { World } from './world.ts'

/** A thread labels its requests, or another thread comes in its place; whether it did. The creating thread stays. */
export function threadCall(world: World, draw: Draw, thread: number): boolean {
  if (thread === 0 || draw.once(2)) {
    const label = draw.pick(['', ...LABELS])
    world.tell?.(`ce[${thread}].site('${label}')`)
    world.ce(thread).site(label)
    world.labels[thread] = label
    return false
  }
  world.calls++
  world.replace(thread)
  return true
}
