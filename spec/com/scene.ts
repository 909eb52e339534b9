import * as assert from 'uvu/assert'
import { type Com, type IMalloc, type IMallocSpy, openCom } from '../../src/com/index.ts'
import { S_OK } from '../../src/index.ts'
import { open, type Place, type World } from '../coredll/world.ts'
import { Witness } from '../../src/mixed/spies.ts'

export const here: Place = { name: '', profile: 'compact-2013', build: 'retail' }

export interface Scene extends Com {
  readonly world: World
  readonly malloc: IMalloc
}

export function scene(world: World = open(here)): Scene {
  const com = openCom(world.ce)
  return { ...com, world, malloc: com.CoGetMalloc(1).ppMalloc as IMalloc }
}

/** A scene with a spy in it, which has been asked for its interface already. */
export function spying<S extends Witness>(spy: S, world?: World): Scene & { readonly spy: S } {
  const set = scene(world)
  assert.is(set.CoRegisterMallocSpy(spy), S_OK)
  spy.take()
  return { ...set, spy }
}

/** The methods of a Witness with some answers of its own. */
export function answering(methods: Partial<IMallocSpy>): Witness {
  return Object.assign(new Witness(), methods)
}

/** The spy as an object that lacks some methods. */
export function without(spy: Witness, ...methods: string[]): Witness {
  for (const method of methods) Object.assign(spy, { [method]: undefined })
  return spy
}
