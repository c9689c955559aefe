# Floating point: planets that attract each other.
bodies = [
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 40.0],
    [5.0, 0.1, -0.1, 0.0, 2.8, 0.0, 0.04],
    [0.2, 9.0, 0.3, -2.1, 0.0, 0.1, 0.01],
    [-13.0, 1.0, -0.2, 0.1, -1.7, 0.0, 0.002],
    [1.0, -19.0, 0.4, 1.4, 0.0, 0.0, 0.002],
]
pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1:]]


def advance(steps, dt):
    for _ in range(steps):
        for a, b in pairs:
            dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
            pull = dt / (dx * dx + dy * dy + dz * dz) ** 1.5
            ma, mb = a[6] * pull, b[6] * pull
            a[3] -= dx * mb
            a[4] -= dy * mb
            a[5] -= dz * mb
            b[3] += dx * ma
            b[4] += dy * ma
            b[5] += dz * ma
        for body in bodies:
            body[0] += dt * body[3]
            body[1] += dt * body[4]
            body[2] += dt * body[5]


advance(5000, 0.001)
print(round(bodies[1][0], 6))
