;; Everything that metering has to rewrite or renumber. shapes.wasm is made
;; from this with
;;   wasm-tools parse shapes.wat -o shapes.wasm
(module $shapes
  (type $binary (func (param i32 i32) (result i32)))
  (import "env" "first" (func $first (param i32)))
  (import "env" "base" (global $base i32))
  (import "env" "second" (func $second (result i64)))
  (memory (export "memory") 1)
  (table $t 4 funcref)
  (global $counter (mut i32) (i32.const 5))
  (global $reference funcref (ref.func $add))
  (export "first" (func $first))
  (export "add" (func $add))
  (elem (table $t) (i32.const 0) func $add $first $once)
  (elem (table $t) (i32.const 3) funcref (ref.func $endless))
  (elem declare func $nested)
  (start $once)
  (func $once (call $first (global.get $base)))
  (func $add (type $binary) (i32.add (local.get 0) (local.get 1)))
  (func $nested (param i32) (result i32)
    (local f64 i32)
    (block $out
      (loop $outer
        (br_if $out (i32.eqz (local.get 0)))
        (loop $inner
          (local.set 2 (i32.add (local.get 2) (i32.const 1)))
          (br_if $inner (i32.and (local.get 2) (i32.const 3))))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br $outer)))
    (drop (ref.func $nested))
    (call $add (local.get 2) (global.get $counter)))
  (func $carried (param i64) (result i64)
    (local.get 0)
    (loop $again (param i64) (result i64)
      (i64.sub (i64.const 1))
      (local.tee 0)
      (br_if $again (i64.ne (local.get 0) (i64.const 0)))))
  (func $switch (param i32) (result i32)
    (loop $again
      (block $a (block $b
        (br_table $a $b $again (local.get 0)))
        (return (i32.const 1))))
    (i32.const 2))
  (func $endless (return_call $endless))
  (func $elsewhere (type $binary)
    (return_call_indirect (type $binary) (local.get 0) (local.get 1) (i32.const 0)))
  (data (i32.const 8) "data"))
