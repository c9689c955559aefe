# expect: ok ""
import _opcode
for n in range(-10, 300):
    for call in (_opcode.stack_effect, _opcode.is_valid, _opcode.has_arg, _opcode.has_jump):
        try: call(n)
        except ValueError: pass
