// Where the rules come from. The tables name a page by its id; the addresses stand here alone.

const L = 'https://learn.microsoft.com/en-us/previous-versions'
const LE = `${L}/windows/embedded`

/** A page of the Compact 2013 documentation. */
export function ce2013(page: string): string {
  return `${LE}/${page}(v=winembedded.80)`
}

/** A page of the CE 6.0 documentation. */
export function ce60(page: string): string {
  return `${LE}/${page}(v=winembedded.60)`
}

/** A page of the documentation of CE 5.0 and older. */
export function ceOld(page: string): string {
  return `${LE}/${page}(v=msdn.10)`
}

/** A page of the same age that is archived outside the embedded section: Windows Mobile 6.5, CE .NET. */
export function msdn(page: string): string {
  return `${L}/${page}(v=msdn.10)`
}

/** A page of a copy of the CE 3.0 documentation. */
export function ce30(page: string): string {
  return `http://systemmanager.ru/windowsce3_0_documentationarchive.en/html/${page}.htm`
}

/** A page of a copy of Microsoft's library of 1998 or 2000. */
export function dungeon(path: string): string {
  return `https://library.thedatadungeon.com/${path}`
}

/** An article in Chinese on a CE page or book. */
export function csdn(path: string): string {
  return `https://blog.csdn.net/${path}`
}

/** A page of the desktop Win32 reference. */
export function desktop(page: string): string {
  return `https://learn.microsoft.com/en-us/windows/win32/api/${page}`
}

/** The text of a desktop Win32 page, in Microsoft's public repository. */
export function sdkApi(page: string): string {
  return `https://github.com/MicrosoftDocs/sdk-api/blob/HEAD/sdk-api-src/content/${page}.md`
}

/** A page on the hosting interfaces of .NET Framework, in Microsoft's public repository. */
export function hostingPage(page: string): string {
  return `https://github.com/dotnet/docs/blob/HEAD/docs/framework/unmanaged-api/hosting/${page}.md`
}

/** A header of CeGCC's open w32api. */
export function header(name: string): string {
  return `https://github.com/MaxKellermann/w32api; ${name} of CeGCC's w32api`
}

/** CeGCC's list of coredll.dll's exports, of the time of CE 3.0 to 5.0. */
export const coredllList =
  'https://github.com/MaxKellermann/w32api; https://github.com/svn2github/cegcc; libce/coredll.def of CeGCC, CE 3.0 to 5.0'

export const ceHeapCreatePage = 'http://msdn.microsoft.com/en-us/library/7a65e80a-255a-40be-a600-e54d2eb4c413'
export const heapReAllocPage = 'https://technet.microsoft.com/en-us/subscriptions/ee488385(v=winembedded.60)'
export const heapSizeWm65Page = 'https://msdn.microsoft.com/en-us/library/aa915089.aspx'
export const virtualFreePage = 'https://technet.microsoft.com/en-us/subscriptions/ee488784(v=winembedded.60).aspx'
export const ceBase = 'https://docs.microsoft.com/en-us/archive/blogs/ce_base/a-tour-of-windows-ce-memory-tools'

export const noPage = 'no public page found'
export const ourChoice = 'our choice (no public page settles it)'
