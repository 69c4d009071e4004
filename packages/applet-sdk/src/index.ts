/** Tools around applets: new, build, test. The AssemblyScript kit itself is in `assembly/`. */
export { type BuildOptions, type BuildStats, type BuiltApplet, buildApplet } from './build-applet.ts'
export {
  frameText,
  type ModulePlace,
  rootedAt,
  SourceMap,
  type SourceMapFile,
  type SourcePlace,
  type SourcePosition,
  shortFunctionName,
} from './debug/source-map.ts'
export {
  type AppletCall,
  type AppletEngine,
  type AppletHost,
  type AppletLimits,
  type AppletModule,
  type AppletOutcome,
  type AppletTransaction,
  defaultAppletLimits,
  type FaultReason,
} from './engine-contract.ts'
export { AppletSdkError, type AppletSdkErrorCode, type SourceProblem } from './errors.ts'
export { listTemplates, type NewAppletOptions, newApplet } from './new-applet.ts'
export type {
  DatabaseDeps,
  DatabaseSchema,
  OpenDatabase,
  SimulatedDatabase,
  TableSchema,
} from './simulation/database.ts'
export {
  type SimulatedEvent,
  type SimulatedResult,
  type Simulation,
  type SimulationOptions,
  simulate,
} from './simulation/simulate.ts'
export {
  type Effects,
  type LogLine,
  type ScriptedAnswer,
  type ScriptedRead,
  SimulatedHost,
  type SimulatedHostOptions,
} from './simulation/simulated-host.ts'
export { openSqliteDatabase } from './simulation/sqlite-database.ts'
export type { HandlerCoverage } from './testing/coverage.ts'
export { formatReport } from './testing/format-report.ts'
export type { GoldenReceipt } from './testing/golden.ts'
export {
  type EventReport,
  type FileReport,
  type TestAppletOptions,
  type TestedApplet,
  type TestReport,
  testApplet,
  testBuiltApplet,
} from './testing/test-applet.ts'
export {
  type Expectation,
  type ExpectedValue,
  parseTestFile,
  type TestEvent,
  type TestFile,
} from './testing/test-file.ts'
