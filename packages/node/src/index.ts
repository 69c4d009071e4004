/** The node as a library: what a program embeds to run one, and the contracts that plug-ins are written against. */
export { createNode, type Node, type NodeAddresses } from './node/create-node.ts'
export { ConfigError, type ConfigProblem } from './node/errors.ts'
export { defaultNodeLimits, defaultNodeOptions, type NodeLimits, type NodeOptions, printable } from './node/options.ts'
export { type Flags, parseNodeOptions } from './node/parse-options.ts'
export { version } from './node/version.ts'
