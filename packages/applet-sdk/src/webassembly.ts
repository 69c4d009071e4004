/** What is used here of the WebAssembly JavaScript API, which TypeScript's library declares only together with the DOM. */
interface WebAssemblyApi {
  readonly Module: {
    new (bytes: Uint8Array): object
    exports(module: object): { name: string; kind: string }[]
    imports(module: object): { module: string; name: string }[]
  }
}

export const webAssembly = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
