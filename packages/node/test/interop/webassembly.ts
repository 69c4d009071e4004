/** What the tests here use of the WebAssembly JavaScript API, which TypeScript's library declares only with the DOM. */
interface WebAssemblyApi {
  readonly Module: {
    new (bytes: Uint8Array): object
    exports(module: object): { name: string; kind: string }[]
    imports(module: object): { module: string; name: string }[]
  }
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> }
  readonly RuntimeError: new (message?: string) => Error
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
