;; Loops to run. work.wasm is made from this with
;;   wasm-tools parse work.wat -o work.wasm
(module
  (memory (export "memory") 1)
  ;; Adds up 1 to n, in n iterations.
  (func (export "sum") (param i32) (result i64)
    (local i64)
    (block $out
      (loop $next
        (br_if $out (i32.eqz (local.get 0)))
        (local.set 1 (i64.add (local.get 1) (i64.extend_i32_u (local.get 0))))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br $next)))
    (local.get 1))
  ;; n iterations, each with m inside.
  (func (export "nested") (param $n i32) (param $m i32) (result i32)
    (local $i i32) (local $count i32)
    (loop $outer
      (local.set $i (local.get $m))
      (loop $inner
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br_if $inner (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
      (br_if $outer (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $count))
  ;; A loop that passes its state on the stack.
  (func (export "carried") (param i64) (result i64)
    (local i64)
    (local.get 0)
    (loop $again (param i64) (result i64)
      (local.set 1 (i64.add (local.get 1) (i64.const 3)))
      (i64.sub (i64.const 1))
      (local.tee 0)
      (br_if $again (i64.ne (local.get 0) (i64.const 0))))
    (drop)
    (local.get 1))
  (func (export "fill") (param $n i32)
    (memory.fill (i32.const 0) (i32.const 1) (local.get $n)))
  (func (export "copy") (param $n i32) (result i32)
    (memory.copy (i32.const 8) (i32.const 0) (local.get $n))
    (local.get $n))
  ;; Hardly a step, and much to do.
  (func (export "fillforever")
    (loop $again
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))
      (br $again)))
  (func (export "forever")
    (loop $again (br $again)))
  (func (export "straight") (result i32) (i32.const 1)))
