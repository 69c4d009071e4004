import type {
  BuildOptions,
  BuiltApplet,
  NewAppletOptions,
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

/** Builds an applet and runs its tests on the node's engine. @throws AppletSdkError */
export async function testApplet(
  directory: string,
  options: TestAppletOptions,
): Promise<{ report: TestReport; text: string }> {
  const [{ testApplet: run, formatReport }, { appletEngine }] = await Promise.all([kit(), import('./applet-engine.ts')])
  const report = await run(directory, appletEngine(), options)
  return { report, text: formatReport(report) }
}
