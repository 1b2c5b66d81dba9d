"""The statistics of the report, written plainly on Python's standard library.

Each function names its definition. check-stattests holds them against SciPy.
"""

import math
import random


def gamma_upper(a, x):
    """The regularised upper incomplete gamma function Q(a, x); series below a + 1, continued fraction above it
    (Abramowitz and Stegun, 6.5.29 and 6.5.31)."""
    if x <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        n = a
        while abs(term) > abs(total) * 1e-16:
            n += 1
            term *= x / n
            total += term
        return max(0.0, 1 - scale * total)
    # The continued fraction by the modified Lentz method; `tiny` stands for zero in a denominator.
    tiny = 1e-300
    b = x + 1 - a
    c, d = 1 / tiny, 1 / b
    fraction = d
    for i in range(1, 10_000):
        numerator = -i * (i - a)
        b += 2
        d = 1 / (numerator * d + b or tiny)
        c = b + numerator / c or tiny
        fraction *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return scale * fraction


def chi_square(table):
    """Pearson's chi-square of independence for rows of counts: statistic, degrees of freedom, p, Cramér's V.

    Rows and columns without any count say nothing and are left out."""
    rows = [row for row in table if sum(row)]
    columns = [column for column in zip(*rows) if sum(column)] if rows else []
    if len(rows) < 2 or len(columns) < 2:
        return 0.0, 0, 1.0, 0.0
    row_sums = [sum(row) for row in zip(*columns)]
    column_sums = [sum(column) for column in columns]
    n = sum(row_sums)
    statistic = 0.0
    for j, column in enumerate(columns):
        for i, count in enumerate(column):
            expected = row_sums[i] * column_sums[j] / n
            statistic += (count - expected) ** 2 / expected
    freedom = (len(row_sums) - 1) * (len(columns) - 1)
    effect = math.sqrt(statistic / (n * min(len(row_sums) - 1, len(columns) - 1)))
    return statistic, freedom, gamma_upper(freedom / 2, statistic / 2), effect


def evenness(counts):
    """How far counts are from even, as Cramér's V of the goodness of fit to the uniform distribution:
    0 all equal, 1 all in one."""
    n = sum(counts)
    if not n or len(counts) < 2:
        return None
    expected = n / len(counts)
    statistic = sum((count - expected) ** 2 / expected for count in counts)
    return math.sqrt(statistic / (n * (len(counts) - 1)))


def kolmogorov_smirnov(a, b):
    """Two samples, each {value: count}: the largest distance D between their distribution functions, and the
    asymptotic p (Smirnov 1948; Stephens' correction of the effective size for small samples). With ties, as in
    counts, p is too large rather than too small: the test is then conservative."""
    n, m = sum(a.values()), sum(b.values())
    if not n or not m:
        return 0.0, 1.0
    distance = below_a = below_b = 0
    for value in sorted(a.keys() | b.keys()):
        below_a += a.get(value, 0)
        below_b += b.get(value, 0)
        distance = max(distance, abs(below_a / n - below_b / m))
    root = math.sqrt(n * m / (n + m))
    return distance, kolmogorov_tail((root + 0.12 + 0.11 / root) * distance)


def kolmogorov_tail(x):
    """P(K > x) of the Kolmogorov distribution."""
    if x < 0.2:
        return 1.0
    return min(1.0, max(0.0, 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))))


def ranks(values):
    """Ranks from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for i in order[start:end]:
            result[i] = (start + end + 1) / 2
        start = end
    return result


def rank_correlation(x, y):
    """Spearman's rho: Pearson's correlation of the ranks. None where one of them does not vary."""
    x, y = ranks(x), ranks(y)
    if len(set(x)) < 2 or len(set(y)) < 2:
        return None
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    covariance = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
    return covariance / math.sqrt(sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y))


def bootstrap(samples, statistic, rounds=2000, seed=20180302):
    """Values of `statistic` over samples drawn anew with replacement, each sample by itself (Efron 1979), in order:
    their quantiles are the percentile interval. The seed is fixed: the same counts give the same values."""
    draw = random.Random(seed)
    return sorted(statistic(*(draw.choices(sample, k=len(sample)) for sample in samples)) for _ in range(rounds))


def two_sided(draws, value):
    """The p that goes with a percentile interval: the smallest level at which `value` is still inside."""
    beyond = min(sum(draw <= value for draw in draws), sum(draw >= value for draw in draws))
    return min(1.0, 2 * (beyond + 1) / (len(draws) + 1))


def quantile(ordered, q):
    """Linear between the two nearest (type 7 of Hyndman and Fan 1996)."""
    if not ordered:
        return None
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def holm(ps):
    """Holm's step-down correction (1979): the p of each, corrected for all of them."""
    order = sorted(range(len(ps)), key=ps.__getitem__)
    corrected, largest = [0.0] * len(ps), 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, (len(ps) - place) * ps[i]))
        corrected[i] = largest
    return corrected
