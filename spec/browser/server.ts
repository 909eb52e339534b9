import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

const root = new URL('../../../', import.meta.url)
const page = '<!doctype html><meta charset="utf-8"><title>ceheap</title><script type="module" src="/spec/browser/page.js"></script>'

/** Without these two a page has no SharedArrayBuffer. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

/** /dist/... is the library as it is shipped, /spec/... the compiled specs; of each only the scripts. */
function fileOf(path: string): string | undefined {
  const [, part, name] = path.match(/^\/(dist|spec)\/((?:[\w-]+\/)*[\w-]+\.js)$/) ?? []
  return part === undefined ? undefined : fileURLToPath(new URL(`${part === 'dist' ? '' : 'build/'}${part}/${name}`, root))
}

/** Serves the page on a free port of 127.0.0.1; gives its address and how to end it. */
export async function serve(): Promise<{ url: string; close: () => Promise<void> }> {
  const server: Server = createServer(async (request, response) => {
    const path = new URL(request.url ?? '/', 'http://127.0.0.1').pathname
    const file = fileOf(path)
    if (path === '/') response.writeHead(200, { ...isolation, 'Content-Type': 'text/html' }).end(page)
    else if (file === undefined) response.writeHead(404, isolation).end()
    else {
      const text = await readFile(file).catch(() => undefined)
      if (text === undefined) response.writeHead(404, isolation).end()
      else response.writeHead(200, { ...isolation, 'Content-Type': 'text/javascript' }).end(text)
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      })
  }
}
