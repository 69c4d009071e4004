export { EngineError, type EngineFault } from './errors.ts'
export { createEngine } from './inline/inline-engine.ts'
export { defaultCallLimits, defaultEngineOptions, type EngineOptions } from './limits.ts'
