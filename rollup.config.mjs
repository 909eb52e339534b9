import { chmod, readdir, readFile, rm } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { fileURLToPath } from 'node:url'

// dist/<name>.js = build/src/<module>.js. A file that another one starts as a worker, by new URL('./<name>.js', import.meta.url), is
// listed here under that name: entries and shared chunks all lie flat in dist/, so the address holds from any of them.
const entries = {
  index: 'index',
  com: 'com/index',
  hosting: 'hosting/index',
  trace: 'trace/index',
  check: 'check/index',
  rules: 'rules/index',
  stress: 'stress/index',
  stresslead: 'stress/stresslead',
  stressworker: 'stress/stressworker',
  conform: 'conform/index',
  conformhost: 'conform/conformhost',
  fuzz: 'fuzz/index',
  cli: 'cli/main'
}

const manifest = JSON.parse(await readFile(new URL('package.json', import.meta.url), 'utf8'))
const built = fileURLToPath(new URL('build/src/', import.meta.url))
const source = fileURLToPath(new URL('src/', import.meta.url))
const dist = fileURLToPath(new URL('dist/', import.meta.url))

/** Hands tsc's source maps on, so that those in dist/ name the TypeScript. */
const typescriptMaps = {
  name: 'typescript-maps',
  async load(id) {
    if (!id.startsWith(built)) return null
    const [code, map] = await Promise.all([readFile(id, 'utf8'), readFile(`${id}.map`, 'utf8')])
    return { code: code.replace(/^#!/, '//'), map: JSON.parse(map) }
  }
}

/** Ships tsc's declarations, those of the command excepted, and lets nothing of an earlier build stay behind. */
const declarations = {
  name: 'declarations',
  async generateBundle() {
    const files = await readdir(source, { recursive: true })
    for (const file of files) {
      if (!file.endsWith('.ts') || /^cli[\\/]/.test(file)) continue
      const fileName = `types/${file.replace(/\.ts$/, '.d.ts').replaceAll('\\', '/')}`
      const text = await readFile(built + file.replace(/\.ts$/, '.d.ts'), 'utf8')
      // tsc rewrites the extension of an import in JavaScript only, and no .ts file is shipped.
      this.emitFile({ type: 'asset', fileName, source: text.replace(/(\b(?:from|import)\s*\(?\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2') })
    }
  },
  async writeBundle(_, bundle) {
    await chmod(`${dist}cli.js`, 0o755)
    for (const name of await readdir(dist, { recursive: true })) {
      if (/\.(js|map|ts)$/.test(name) && !(name.replaceAll('\\', '/') in bundle)) await rm(dist + name)
    }
  }
}

export default {
  input: Object.fromEntries(Object.entries(entries).map(([name, module]) => [name, `${built}${module}.js`])),
  external: [...Object.keys(manifest.dependencies), ...builtinModules.map((name) => `node:${name}`)],
  plugins: [typescriptMaps, declarations],
  output: {
    dir: dist,
    format: 'es',
    sourcemap: true,
    chunkFileNames: 'shared-[hash].js',
    // The core in one piece: V8 folds a constant only inside the module that keeps it to itself, and the hot path is full of them.
    manualChunks: (id) =>
      /^(machine|heap|coredll)\/|^(constants|errors|profile)\.js$/.test(id.replace(built, '').replaceAll('\\', '/')) ? 'core' : null,
    banner: (chunk) => (chunk.name === 'cli' ? '#!/usr/bin/env node' : '')
  },
  onLog(level, log) {
    // tsc's helper for import(address) asks `this` for a helper of the bundle's own.
    if (level === 'warn' && log.code !== 'THIS_IS_UNDEFINED') throw new Error(log.message)
  }
}
