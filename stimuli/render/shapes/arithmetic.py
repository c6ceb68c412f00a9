"""Sine, exponential, angle and noise from exactly rounded operations, so that no platform's libm enters an image."""

import math

from .compiled import compiled, inlined

_PI_HIGH = 3.140625
_PI_LOW = math.pi - _PI_HIGH


@compiled
def sine(x: float) -> float:
    """Sine of `x` radians, to 1e-6 for |x| < 1e4."""
    turns = math.floor(x / math.pi + 0.5)
    r = (x - turns * _PI_HIGH) - turns * _PI_LOW
    q = r * r
    value = r * (1.0 + q * (-1.0 / 6.0 + q * (1.0 / 120.0 + q * (-1.0 / 5040.0 + q * (1.0 / 362880.0)))))
    return -value if turns - 2.0 * math.floor(turns * 0.5) == 1.0 else value


@compiled
def exponential(x: float) -> float:
    """Exponential of `x`, to 1e-6 relative; 0 below -40 and the value at 40 above it."""
    if x < -40.0:
        return 0.0
    x = min(x, 40.0)
    n = math.floor(x * 1.4426950408889634)
    r = x - n * 0.6931471805599453
    value = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r / 720.0)))))
    two = 2.0 if n >= 0.0 else 0.5
    for _ in range(int(abs(n))):
        value *= two
    return value


@compiled
def angle(y: float, x: float) -> float:
    """Direction of (x, y) in radians, -pi to pi, to 1e-4."""
    ax = abs(x)
    ay = abs(y)
    if ax + ay == 0.0:
        return 0.0
    a = min(ax, ay) / max(ax, ay)
    s = a * a
    r = ((-0.0464964749 * s + 0.15931422) * s - 0.327622764) * s * a + a
    if ay > ax:
        r = 1.57079632679 - r
    if x < 0.0:
        r = math.pi - r
    return -r if y < 0.0 else r


@inlined
def hashed(i: int, j: int, k: int) -> float:
    """A number in [0, 1] that looks random and depends on the three cell indices alone."""
    h = (i * 374761393 + j * 668265263 + k * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65535.0


@inlined
def noise(x: float, y: float, z: float) -> float:
    """Smooth value noise in [0, 1] with features about one unit wide."""
    i = math.floor(x)
    j = math.floor(y)
    k = math.floor(z)
    u = x - i
    v = y - j
    w = z - k
    u = u * u * (3.0 - 2.0 * u)
    v = v * v * (3.0 - 2.0 * v)
    w = w * w * (3.0 - 2.0 * w)
    a, b, c = int(i), int(j), int(k)
    n00 = hashed(a, b, c) * (1.0 - u) + hashed(a + 1, b, c) * u
    n10 = hashed(a, b + 1, c) * (1.0 - u) + hashed(a + 1, b + 1, c) * u
    n01 = hashed(a, b, c + 1) * (1.0 - u) + hashed(a + 1, b, c + 1) * u
    n11 = hashed(a, b + 1, c + 1) * (1.0 - u) + hashed(a + 1, b + 1, c + 1) * u
    return (n00 * (1.0 - v) + n10 * v) * (1.0 - w) + (n01 * (1.0 - v) + n11 * v) * w


@compiled
def layers(x: float, y: float, z: float, n: int, finest: float) -> float:
    """Sum of `n` octaves of noise, mean near 0.5; octaves finer than `finest` units fade out (they would alias)."""
    total = 0.0
    amplitude = 0.5
    size = 1.0
    for _ in range(n):
        keep = min(max(size / max(finest, 1e-9) - 1.0, 0.0), 1.0)
        if keep > 0.0:
            total += amplitude * (keep * noise(x, y, z) + (1.0 - keep) * 0.5)
        else:
            total += amplitude * 0.5
        x = x * 2.03 + 17.1
        y = y * 2.03 + 3.7
        z = z * 2.03 + 9.2
        amplitude *= 0.5
        size *= 0.49
    return total + amplitude


@inlined
def step(low: float, high: float, x: float) -> float:
    """Smooth step: 0 below `low`, 1 above `high`."""
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)
