;; A guest for the engine's tests. guest.wasm is made from this with
;;   wasm-tools parse guest.wat -o guest.wasm
(module
  (type $none (func))
  (type $unary (func (param i32) (result i32)))
  (import "test:host/control@0.1.0" "checkpoint" (func $checkpoint (result i32)))
  (import "test:host/control@0.1.0" "call" (func $call (type $unary)))
  (import "test:host/numbers@0.1.0" "mix" (func $mix (param i32 i64 f32 f64) (result i64)))

  (memory (export "memory") 2)
  (table 3 funcref)
  (elem (i32.const 0) func $double $nothing)
  (global $stack (export "__stack_pointer") (mut i32) (i32.const 4096))
  (global (export "constant") i32 (i32.const 7))
  (global $fuel (export "__eryx_fuel") (mut i32) (i32.const 1000))
  (global $heap (export "heap") (mut i32) (i32.const 65536))
  (data $greeting "hello from the data segment")

  (func (export "boot")
    (memory.init $greeting (i32.const 1024) (i32.const 0) (i32.const 27)))
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i32)
    (i32.load (local.get 0)))
  (func (export "store") (param i32 i32)
    (i32.store (local.get 0) (local.get 1)))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32)
    (memory.grow (local.get 0)))
  (func (export "call") (param i32) (result i32)
    (call $call (local.get 0)))
  (func (export "mix") (param i32 i64 f32 f64) (result i64)
    (call $mix (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func $double (param i32) (result i32)
    (i32.mul (local.get 0) (i32.const 2)))
  (func $nothing)
  (func (export "indirect") (param i32) (result i32)
    (call_indirect (type $unary) (i32.const 21) (local.get 0)))

  ;; Ends only if checkpoint ends it.
  (func (export "spin")
    (loop $again
      (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
      (if (i32.eqz (global.get $fuel))
        (then (global.set $fuel (call $checkpoint))))
      (br $again)))

  (func (export "unreachable") (unreachable))
  (func (export "divide") (param i32 i32) (result i32)
    (i32.div_s (local.get 0) (local.get 1)))
  (func $recurse (export "recurse") (param i32) (result i32)
    (i32.add (i32.const 1) (call $recurse (i32.add (local.get 0) (i32.const 1)))))
  ;; Nested calls, as deep as asked for, with the host's call at the bottom.
  (func $nest (export "nest") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0))
      (then (call $call (i32.const 1)))
      (else (i32.add (i32.const 1) (call $nest (i32.sub (local.get 0) (i32.const 1)))))))

  ;; A bump allocator that never gives anything back.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local i32)
    (local.set 4 (global.get $heap))
    (global.set $heap (i32.add (global.get $heap) (local.get 3)))
    (local.get 4)))
