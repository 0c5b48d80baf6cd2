/** What is used of WebAssembly's interface: its types belong to lib.dom, which is no part of this project. */
declare namespace WebAssembly {
  class Module {
    private readonly compiled: true;
    constructor(bytes: Uint8Array);
    static imports(module: Module): { readonly module: string; readonly name: string }[];
    static exports(module: Module): { readonly name: string; readonly kind: string }[];
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports: Readonly<Record<string, never>>);
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
