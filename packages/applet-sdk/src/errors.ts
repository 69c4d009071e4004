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

/** What building and testing applets can fail with. */
export class AppletSdkError extends Error {
  readonly code: AppletSdkErrorCode
  readonly details: readonly string[]
  constructor(code: AppletSdkErrorCode, message: string, details: readonly string[] = []) {
    super(details.length === 0 ? message : `${message}\n${details.join('\n')}`)
    this.name = 'AppletSdkError'
    this.code = code
    this.details = details
  }
}
