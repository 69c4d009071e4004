/** What tests and examples of other packages use: a development chain, and contracts on it. */
export { type Anvil, type AnvilOptions, devAccounts, startAnvil } from './anvil.ts'
export { clientOf, deploy } from './deploy.ts'
