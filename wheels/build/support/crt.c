/*
 * What a shared library of the base has beside its own code: an entry that runs
 * its constructors, once. The linker makes __wasm_call_ctors.
 */
void __wasm_call_ctors(void);

__attribute__((export_name("_initialize"))) void _initialize(void) {
  static int done;
  if (!done) {
    done = 1;
    __wasm_call_ctors();
  }
}
