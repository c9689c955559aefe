;; A module that has all that a bundle's has to have, and means harm. What it
;; does depends on the script's length. hostile.wasm is made from this with
;;   wasm-tools parse hostile.wat -o hostile.wasm
(module
  (import "eryx:sandbox/metering@0.1.0" "checkpoint" (func $checkpoint (result i32)))
  (import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
  (import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))
  (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.check-write" (func $check (param i32 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (global (export "__eryx_fuel") (mut i32) (i32.const 1))
  (global $mode (mut i32) (i32.const 0))

  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    ;; 8: allocating asks the host for something that has to be allocated
    (if (i32.eq (global.get $mode) (i32.const 8))
      (then (call $random (i64.const 8) (i32.const 512))))
    ;; 9: what is allocated is where there is nothing
    (if (i32.eq (global.get $mode) (i32.const 9))
      (then (return (i32.const 0xfffffff8))))
    (i32.const 4096))

  ;; 2: 2**100 calls and no loop
  (func $double (param i32)
    (if (local.get 0)
      (then
        (call $double (i32.sub (local.get 0) (i32.const 1)))
        (call $double (i32.sub (local.get 0) (i32.const 1))))))

  (func $forever (param i32)
    (call $forever (i32.add (local.get 0) (i32.const 1)))
    (call $forever (local.get 0)))

  (func (export "eryx:sandbox/interpreter@0.1.0#execute")
    (param i32) (param $mode i32) (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $stream i32)
    (global.set $mode (local.get $mode))
    (block $other
      (block $8 (block $7 (block $6 (block $5 (block $4 (block $3 (block $2 (block $1
        (br_table $other $1 $2 $3 $4 $5 $6 $7 $8 $8 $other (local.get $mode)))
        ;; 1: a loop that nobody counts
        (loop $again (br $again)))
        (call $double (i32.const 100))
        (return (i32.const 0)))
        ;; 3: recursion without an end
        (call $forever (i32.const 0)))
        ;; 4: the result is where there is no memory
        (return (i32.const 0xfffffffc)))
        ;; 5: the result is an exception with ever so long strings
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1028) (i32.const 16384)) (i32.store (i32.const 1032) (i32.const 40000))
        (i32.store (i32.const 1036) (i32.const 16384)) (i32.store (i32.const 1040) (i32.const 40000))
        (i32.store (i32.const 1044) (i32.const 16384)) (i32.store (i32.const 1048) (i32.const 40000))
        (i32.store (i32.const 1052) (i32.const 0)) (i32.store (i32.const 1056) (i32.const 0xffffffff))
        (return (i32.const 1024)))
        ;; 6: all the memory that there is
        (loop $again
          (drop (memory.grow (i32.const 1)))
          (br $again)))
        ;; 7: output without an end
        (local.set $stream (call $stdout))
        (loop $again
          (call $check (local.get $stream) (i32.const 512))
          (call $write (local.get $stream) (i32.const 0) (i32.const 65536) (i32.const 512))
          (br $again)))
      (call $random (i64.const 8) (i32.const 512)))
    (unreachable))
)
