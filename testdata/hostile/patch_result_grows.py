# expect: deadline
# deadline: 200ms
class L(list):
    def __iter__(self):
        while True: yield 1
    def __len__(self): return 2**31 - 1
result = L([1])
