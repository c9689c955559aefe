# C code in tight loops: long integers, of which the digits of pi are made.


def pi(digits):
    q, r, t, k, n, l, out = 1, 0, 1, 1, 3, 3, []
    while len(out) < digits:
        if 4 * q + r - t < n * t:
            out.append(n)
            q, r, n = 10 * q, 10 * (r - n * t), 10 * (3 * q + r) // t - 10 * n
        else:
            q, r, t, k, n, l = q * k, (2 * q + r) * l, t * l, k + 1, (q * (7 * k + 2) + r * l) // (t * l), l + 2
    return "".join(map(str, out))


print(pi(900)[-10:], 3**20_000 % 10**9 + 7)
