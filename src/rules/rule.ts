/**
 * What a rule rests on: `documented` a public page of Microsoft's, `derived` arithmetic or logic from documented rules, `desktop` desktop
 * Windows alone, `old` a CE older than 6.0 alone, `header` open headers or export lists, `secondary` a blog, a translation or public
 * programs, `silent` looked for and not found, `choice` our answer where the pages are silent, `porting` a warning drawn from other rules.
 */
export type Basis = 'documented' | 'derived' | 'desktop' | 'old' | 'header' | 'secondary' | 'silent' | 'choice' | 'porting'

/**
 * What the library does with a rule: `emulated` the emulator's behaviour follows it, `reported` `ceheap check` raises it, `background`
 * there is nothing to emulate, `later` it is not emulated yet.
 */
export type Status = 'emulated' | 'reported' | 'background' | 'later'

/** One statement about memory on CE, with the word it rests on. */
export interface Rule {
  /** Family and number: `HA-2`, `W-13`, `C-4`. */
  readonly id: string
  /** The title of its section: `HeapAlloc`, `Flags`, `Porting surprises`, `Our choices`. */
  readonly topic: string
  /** One to three plain sentences. */
  readonly statement: string
  /** The number, error or list of constants; '' where there is none. */
  readonly value: string
  /** Full URLs, or what else it rests on, separated by '; '. */
  readonly source: string
  /** The CE versions that the source documents; '' where no source does. */
  readonly versions: string
  readonly basis: Basis
  /** Ids of related rules, those named in the texts included. */
  readonly seeAlso: readonly string[]
  readonly status: Status
  /** What to change in the program; every porting warning and every choice has it. */
  readonly advice?: string
}

/** The texts of a rule as the tables write them; a missing source means the rules under `seeAlso`. */
interface Texts {
  readonly statement: string
  readonly value?: string
  readonly source?: string | readonly string[]
  readonly seeAlso?: readonly string[]
  readonly advice?: string
}

type Untitled = Omit<Rule, 'topic'>

/** One row of a table. */
export function rule(id: string, basis: Basis, versions: string, status: Status, texts: Texts): Untitled {
  const { statement, value = '', seeAlso = [], advice } = texts
  const sources = texts.source ?? seeAlso
  const source = typeof sources === 'string' ? sources : sources.join('; ')
  return { id, statement, value, source, versions, basis, seeAlso, status, ...(advice === undefined ? {} : { advice }) }
}

/** A table: the rows under the title of their section. */
export function section(topic: string, rows: readonly Untitled[]): readonly Rule[] {
  return rows.map(({ id, ...rest }) => ({ id, topic, ...rest }))
}
