export { createEngine } from './inline/inline-engine.ts'
export { defaultCallLimits } from './limits.ts'
