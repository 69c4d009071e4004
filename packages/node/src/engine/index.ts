export { createEngine } from './inline/inline-engine.ts'
export { defaultCallLimits, threadStackMiB } from './limits.ts'
