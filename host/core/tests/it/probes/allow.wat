;; Behaves: allows and sets nothing. The other probes differ from it in what `decide` does.
(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $start i32)
    (local.set $start (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $start) (local.get 3)))
    (loop $again
      (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
        (then (drop (memory.grow (i32.const 1))) (br $again))))
    (local.get $start))
  (func (export "cogwit:triggers/pre-sign-up@0.1.0#decide") (param i32) (result i32)
    ;; The zeros at address 0 read as ok, with three absent members.
    (i32.const 0)))
