// Stands in for uvu beside the mutated build: the same suites, of which single tests can be asked for. It is copied there, so it imports nothing of the project.

type Handler = (context: Record<string, unknown>) => unknown

export interface Suite {
  readonly name: string
  readonly tests: readonly { readonly name: string; readonly handler: Handler }[]
  readonly before: readonly Handler[]
  readonly after: readonly Handler[]
  readonly beforeEach: readonly Handler[]
  readonly afterEach: readonly Handler[]
}

interface Declared {
  (name: string, handler: Handler): void
  before: ((handler: Handler) => void) & { each: (handler: Handler) => void }
  after: ((handler: Handler) => void) & { each: (handler: Handler) => void }
  skip: (name?: string, handler?: Handler) => void
  only: (name: string, handler: Handler) => void
  run: () => void
}

/** Suites whose `.run()` was called, in that order. */
export const declared: Suite[] = []

export function suite(name = ''): Declared {
  const made = {
    name,
    tests: [] as { name: string; handler: Handler }[],
    before: [] as Handler[],
    after: [] as Handler[],
    beforeEach: [] as Handler[],
    afterEach: [] as Handler[]
  }
  const add = (name: string, handler: Handler): void => void made.tests.push({ name, handler })
  const hook = (key: 'before' | 'after'): Declared['before'] =>
    Object.assign((handler: Handler): void => void made[key].push(handler), {
      each: (handler: Handler): void => void made[`${key}Each`].push(handler)
    })
  return Object.assign(add, {
    before: hook('before'),
    after: hook('after'),
    skip: (): void => {},
    only: add,
    run: (): void => void declared.push(made)
  })
}

export const test: Declared = suite()
