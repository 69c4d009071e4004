/** Error numbers of WASI preview 1 that the engine answers with. */
export const errno = { success: 0, badf: 8, fault: 21, inval: 28, nosys: 52 } as const
