import { posix } from 'node:path'

/** One import of a file, as it is written. */
export interface Import {
  readonly from: string
  readonly line: number
}

/** A file's way into the node's layers: imports go downwards only. */
const layers: readonly (readonly string[])[] = [
  ['cli', 'index.ts'],
  ['node'],
  ['event'],
  [
    'account',
    'chain',
    'consensus',
    'database',
    'device',
    'endpoint',
    'engine',
    'project',
    'vfs',
    'wallet',
    'proving',
    'outbound',
    'network',
    'lifecycle',
    'availability',
  ],
  ['telemetry', 'util'],
]

/** What other components may see of a component, where it is more than the file named after it. */
const contracts: Readonly<Record<string, readonly string[]>> = {
  account: ['account.ts', 'access-key.ts', 'privileges.ts', 'resource.ts', 'uploaded-file.ts'],
  vfs: ['vfs.ts', 'keeper.ts'],
  endpoint: ['endpoint.ts', 'api-error.ts'],
  project: ['project.ts', 'definition.ts', 'definition-rows.ts', 'flow.ts'],
  database: ['database.ts', 'control/control.ts'],
}

/** Libraries that only one folder may import, so that they can be exchanged there. */
const wardens: readonly { library: RegExp; folder: RegExp }[] = [
  { library: /^(libp2p$|@libp2p\/|@chainsafe\/libp2p)/, folder: /^packages\/node\/src\/network\// },
  { library: /^secp256k1$/, folder: /^packages\/node\/src\/wallet\// },
  { library: /^viem(\/|$)/, folder: /^packages\/node\/src\/(chain|account|wallet)\// },
  {
    library: /^node:sqlite$/,
    folder:
      /^packages\/(node\/src\/(database\/|endpoint\/mqtt\/|node\/data-directory\.)|applet-sdk\/src\/simulation\/)/,
  },
  { library: /^(undici|ipaddr\.js)$/, folder: /^packages\/node\/src\/outbound\// },
  { library: /^(fastify|@fastify\/.*)$/, folder: /^packages\/node\/src\/endpoint\/http\// },
  { library: /^pino$/, folder: /^packages\/node\/src\/telemetry\// },
  { library: /^(commander|@clack\/prompts|cli-table3)$/, folder: /^packages\/node\/src\/cli\// },
]

/** Our own packages that each package may import. */
const packages: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  'applet-sdk': [],
  client: ['@w3bstream/protocol'],
  node: ['@w3bstream/protocol', '@w3bstream/client', '@w3bstream/applet-sdk'],
}

/** All imports and re-exports of a source text, the dynamic ones with a fixed name included. */
export function importsOf(text: string): Import[] {
  const pattern = /^[ \t]*(?:import|export)\s+(?:type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm
  return [...text.matchAll(pattern)].map((match) => ({
    from: match[1] ?? match[2] ?? '',
    line: text.slice(0, match.index + match[0].search(/\S/)).split('\n').length,
  }))
}

/** Why a file may not import what it imports; undefined when it may. */
export function violation(file: string, { from }: Import): string | undefined {
  if (!from.startsWith('.')) return libraryViolation(file, from)
  const target = posix.join(posix.dirname(file), from)
  const [, ownPackage] = file.split('/')
  if (file.startsWith('packages/') && !target.startsWith(`packages/${ownPackage}/`))
    return 'reaches into another package'
  const source = componentOf(file)
  const wanted = componentOf(target)
  if (!source || !wanted || source.name === wanted.name) return undefined
  if (wanted.layer < source.layer) return `${source.name} is below ${wanted.name}`
  if (wanted.layer > source.layer || source.layer !== 3) return undefined
  const allowed = contracts[wanted.name] ?? [`${wanted.name}.ts`]
  if (allowed.includes(wanted.file)) return undefined
  if (wanted.file === 'errors.ts') return undefined
  return `${source.name} may see of ${wanted.name}: ${allowed.join(', ')}, errors.ts`
}

function libraryViolation(file: string, from: string): string | undefined {
  const [, ownPackage = ''] = file.split('/')
  const allowed = file.startsWith('packages/') ? packages[ownPackage] : undefined
  const ours = /^@w3bstream\/[^/]+/.exec(from)?.[0]
  // `@w3bstream/wasm-sdk` is the published kit of the earlier generation, which is not ours to layer.
  if (
    ours &&
    ours !== '@w3bstream/wasm-sdk' &&
    allowed &&
    !allowed.includes(ours) &&
    ours !== `@w3bstream/${ownPackage}`
  )
    return `${ownPackage} may not import ${ours}`
  const warden = wardens.find(({ library }) => library.test(from))
  if (warden && /^packages\/node\/src\//.test(file) && !warden.folder.test(file))
    return `only ${warden.folder.source} imports ${from}`
  return undefined
}

interface Component {
  readonly name: string
  readonly layer: number
  /** Path inside the component's folder. */
  readonly file: string
}

function componentOf(path: string): Component | undefined {
  const match = /^packages\/node\/src\/([^/]+)(?:\/(.*))?$/.exec(path)
  if (!match) return undefined
  const [, name = '', file = ''] = match
  const layer = layers.findIndex((names) => names.includes(name))
  return layer < 0 ? undefined : { name, layer, file }
}
