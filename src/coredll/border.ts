import { endByError } from '../machine/adrift.ts'
import { COLD } from '../machine/machine.ts'
import type { Machine } from '../machine/machine.ts'

/**
 * The border of the library: where a call that an error ends lets go of what it was in (machine/adrift.ts). `adrift` is set on the spot, and the hot path taken
 * away, by plain stores: the stack may have no room even for a call of `endByError`. HeapAlloc and HeapFree draw the border themselves, by a try of their own, which costs nothing.
 */
export function bordered<T extends object>(prototype: T, names: readonly string[], machineOf: (self: T) => Machine): void {
  for (const name of names) {
    const method = Reflect.get(prototype, name) as (...args: unknown[]) => unknown
    const inside = function (this: T, ...args: unknown[]): unknown {
      const machine = machineOf(this)
      try {
        return method.apply(this, args)
      } catch (error) {
        machine.adrift = true
        machine.hot = COLD
        endByError(machine)
        throw error
      }
    }
    Object.defineProperty(inside, 'name', { value: name })
    Object.defineProperty(inside, 'length', { value: method.length })
    Object.defineProperty(prototype, name, { value: inside, writable: true, configurable: true })
  }
}

/** Draws the border around what is no method of a class. */
export function within<T>(machine: Machine, run: () => T): T {
  try {
    return run()
  } catch (error) {
    machine.adrift = true
    machine.hot = COLD
    endByError(machine)
    throw error
  }
}
