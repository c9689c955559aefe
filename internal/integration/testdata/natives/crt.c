/* What a module's constructors are run by. */
void __wasm_call_ctors(void);
__attribute__((visibility("default"))) void _initialize(void) { __wasm_call_ctors(); }
