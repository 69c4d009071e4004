import type {
  BuildOptions,
  BuiltApplet,
  NewAppletOptions,
  SourceMap,
  SourceMapFile,
  TestAppletOptions,
  TestReport,
} from '@w3bstream/applet-sdk/tool'

/** The applet kit's compiler and templates, loaded when they are used: the compiler alone takes a good part of a second. */
const kit = () => import('@w3bstream/applet-sdk/tool')

/** Writes a new applet. @returns the files, relative to the directory. @throws AppletSdkError */
export async function newApplet(directory: string, options: NewAppletOptions): Promise<readonly string[]> {
  return (await kit()).newApplet(directory, options)
}

/** Compiles an applet. @param path folder with `assembly/index.ts`, or one source file. @throws AppletSdkError */
export async function buildApplet(path: string, options: BuildOptions = {}): Promise<BuiltApplet> {
  return (await kit()).buildApplet(path, options)
}

/** The map with absolute places for this machine. @param directory that its sources are relative to */
export async function rootSourceMap(map: SourceMapFile, directory: string): Promise<SourceMapFile> {
  return (await kit()).rootedAt(map, directory)
}

/** @throws Error for what is no source map */
export async function openSourceMap(file: SourceMapFile): Promise<SourceMap> {
  return new (await kit()).SourceMap(file)
}

/** Builds an applet and runs its tests on the node's engine. @throws AppletSdkError */
export async function testApplet(
  directory: string,
  options: TestAppletOptions,
): Promise<{ report: TestReport; text: string }> {
  const [{ testApplet: run, formatReport }, { appletEngine }, { databaseOfTables }] = await Promise.all([
    kit(),
    import('./applet-engine.ts'),
    import('./project-file/read-tables.ts'),
  ])
  const report = await run(directory, appletEngine(), { databaseOf: databaseOfTables, ...options })
  return { report, text: formatReport(report) }
}
