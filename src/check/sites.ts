/** Where linkers put a program: 64 bits and 32 bits, and how far its code may reach. */
const bases = [0x140000000, 0x400000]
const reach = 0x4000000

/**
 * Whether a return address of a relay log lies in the program itself and not in a DLL. It is a guess from the linkers' usual addresses, since
 * the log of a filtered recording does not say where modules were loaded.
 */
export function inProgram(site: string): boolean {
  if (!/^[0-9a-f]{6,16}$/i.test(site)) return false
  const address = Number.parseInt(site, 16)
  return bases.some((base) => address >= base && address < base + reach)
}

/** A text from a recording without what a terminal would obey. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}
