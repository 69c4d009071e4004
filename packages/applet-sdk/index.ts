// The AssemblyScript compiler looks for a package's entry here; the kit itself is in `assembly/`.
export * from './assembly/index'
