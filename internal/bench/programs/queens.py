# Generators, tuples and sets: nine queens.


def place(n, row=0, columns=(), rising=frozenset(), falling=frozenset()):
    if row == n:
        yield columns
        return
    for column in range(n):
        if column not in columns and row + column not in rising and row - column not in falling:
            yield from place(n, row + 1, (*columns, column), rising | {row + column}, falling | {row - column})


print(sum(1 for _ in place(9)))
