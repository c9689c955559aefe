;; A module whose data is there from the beginning.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "active")
  (data (i32.const 65000) "behind the image")
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))
