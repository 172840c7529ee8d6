;; Grows by a page, works a little, and grows again.
(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 8192))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $start i32)
    (local.set $start (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $start) (local.get 3)))
    (local.get $start))
  (func $decide (export "cogwit:triggers/pre-sign-up@0.1.0#decide") (param i32) (result i32)
    (local $work i32)
    (loop $again
      (drop (memory.grow (i32.const 1)))
      (local.set $work (i32.const 1000))
      (loop $busy (br_if $busy (local.tee $work (i32.sub (local.get $work) (i32.const 1)))))
      (br $again))
    (unreachable)))
