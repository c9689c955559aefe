;; A guest whose cabi_realloc calls the host, to be called by the host again.
;; reentrant.wasm is made from this with
;;   wasm-tools parse reentrant.wat -o reentrant.wasm
(module
  (import "test:host/control@0.1.0" "call" (func $call (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "call") (param i32) (result i32)
    (call $call (local.get 0)))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (call $call (local.get 3)))
)
