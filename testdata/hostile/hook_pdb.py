# expect: exit 1
breakpoint()
x = 1
