;; A module that imports a memory, which no host function can be.
(module (import "env" "memory" (memory 1)))
