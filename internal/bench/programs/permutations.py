# Lists of small integers: the most flips that a permutation needs until its
# first element is 0.


def flips(n):
    order, counts, most = list(range(n)), list(range(1, n + 1)), 0
    while True:
        work, count = order[:], 0
        first = work[0]
        while first:
            work[: first + 1] = work[first::-1]
            count += 1
            first = work[0]
        if count > most:
            most = count
        i = 1
        while True:
            order.insert(i, order.pop(0))
            counts[i] -= 1
            if counts[i]:
                break
            counts[i] = i + 1
            i += 1
            if i == n:
                return most


print(flips(8))
