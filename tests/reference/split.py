#!/usr/bin/python3
"""The first numbers of the shuffle that divides CIFAR-10 (split seed 1), computed without caelum: Philox4x32-10,
Lemire's unbiased range, Fisher-Yates from the end. Prints what test_data.c expects."""


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & 0xFFFFFFFF, (p0 >> 32) ^ c[3] ^ k[1], p0 & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def numbers(seed, stream, index):
    position = 0
    while True:
        yield from philox([position & 0xFFFFFFFF, position >> 32, stream, index], [seed & 0xFFFFFFFF, seed >> 32])
        position += 1


def below(source, n):
    while True:
        product = next(source) * n
        if (product & 0xFFFFFFFF) >= (-n & 0xFFFFFFFF) % n:
            return product >> 32


order, source = list(range(60000)), numbers(1, 1, 0)
for i in range(60000, 1, -1):
    j = below(source, i)
    order[i - 1], order[j] = order[j], order[i - 1]
print(", ".join(map(str, order[:8])))
