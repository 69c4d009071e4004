export type AppletSdkErrorCode =
  /** The folder has no `assembly/index.ts`, or the file does not exist. */
  | 'ENTRY_NOT_FOUND'
  /** The compiler refused; `details` are its messages. */
  | 'COMPILE_FAILED'
  /** A new applet is not written into a folder that has files. */
  | 'FOLDER_NOT_EMPTY'
  | 'NAME_INVALID'
  | 'TEMPLATE_UNKNOWN'
  /** `details` name every mistake with its place. */
  | 'TEST_FILE_INVALID'
  /** The folder has no test file, or none that the filter lets through. */
  | 'NO_TESTS'
  /** A golden file cannot be read; `--update` writes it anew. */
  | 'GOLDEN_INVALID'

/** What the compiler refused, where it stands; line and column count from 1, and are 0 where there is no place. */
export interface SourceProblem {
  /** The compiler's number. */
  readonly code: number
  readonly message: string
  /** Absolute path; a name in the compiler's library; empty where there is no place. */
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Of an applet that does not compile. */
interface CompilerOutput {
  readonly problems: readonly SourceProblem[]
  /** As of an applet that was built: one of these files has to change. */
  readonly sources: ReadonlyMap<string, string | null>
}

/** What building and testing applets can fail with. */
export class AppletSdkError extends Error {
  readonly code: AppletSdkErrorCode
  readonly details: readonly string[]
  readonly compiler: CompilerOutput | undefined
  constructor(code: AppletSdkErrorCode, message: string, details: readonly string[] = [], compiler?: CompilerOutput) {
    super(details.length === 0 ? message : `${message}\n${details.join('\n')}`)
    this.name = 'AppletSdkError'
    this.code = code
    this.details = details
    this.compiler = compiler
  }
}
