#!/usr/bin/python3
"""Writes scipy_reference.json: the figures that statistics_test must agree with.

    /usr/bin/python3 scipy_reference.py > scipy_reference.json

Needs Debian's python3-scipy, python3-statsmodels and python3-mpmath, which cannot be installed beside
libboost1.81-dev: run it elsewhere, or unpack the packages with `dpkg -x`. The samples are drawn from a fixed seed and
stored with the results.
"""
import json

import mpmath
import numpy as np
import scipy
import statsmodels.regression.linear_model
from scipy import optimize, special, stats
from statsmodels.stats.power import TTestIndPower, TTestPower
from statsmodels.stats.weightstats import DescrStatsW, ttost_ind

rng = np.random.default_rng(115)


def interval95(df, center, error):
    """Not stats.t.interval: in SciPy 1.10 its quantiles are off by up to 1.4e-9 (t.cdf of them shows it)."""
    x = special.betaincinv(df / 2, 0.5, 0.05)
    half = np.sqrt(df * (1 - x) / x) * error
    return [center - half, center + half]


def description(x):
    x = np.asarray(x, float)
    q1, q3 = np.percentile(x, [25, 75])
    low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
    return {
        "mean": x.mean(), "sd": x.std(ddof=1), "cv_pct": stats.variation(x, ddof=1) * 100, "median": np.median(x),
        "min": x.min(), "max": x.max(), "ci95": interval95(len(x) - 1, x.mean(), stats.sem(x)),
        "outliers": np.flatnonzero((x < low) | (x > high)),
    }


def welch(a, b):
    error_a, error_b = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    df = (error_a + error_b) ** 2 / (error_a**2 / (len(a) - 1) + error_b**2 / (len(b) - 1))
    difference = a.mean() - b.mean()
    result = stats.ttest_ind(a, b, equal_var=False)
    ci95 = interval95(df, difference, np.sqrt(error_a + error_b))
    return {"difference": difference, "ci95": ci95, "t": result.statistic, "df": df, "p": result.pvalue}


def u_of(a, b, axis):
    a, b = np.moveaxis(a, axis, -1)[..., :, None], np.moveaxis(b, axis, -1)[..., None, :]
    return ((a > b) + 0.5 * (a == b)).sum(axis=(-1, -2))


def mann_whitney(a, b):
    tied = len(np.unique(np.concatenate([a, b]))) < len(a) + len(b)
    exact = len(a) + len(b) <= 50
    u, p = stats.mannwhitneyu(a, b, method="exact" if exact else "asymptotic")
    if exact and tied:
        p = stats.permutation_test((a, b), u_of, vectorized=True, n_resamples=np.inf, batch=5000).pvalue
    return {"u": u, "p": p, "exact": exact}


def pair(name, a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    m = len(a) + len(b) - 2
    d = (a.mean() - b.mean()) / np.sqrt(((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / m)
    j = np.exp(special.gammaln(m / 2) - special.gammaln((m - 1) / 2)) / np.sqrt(m / 2)
    return {"name": name, "a": a, "b": b, "welch": welch(a, b), "mann_whitney": mann_whitney(a, b), "cohens_d": d,
            "hedges_g": d * j}


def pairs():
    def normal(mean, sd, n, digits=4):
        return np.round(rng.normal(mean, sd, n), digits)

    for n_a, n_b in [(2, 2), (2, 5), (3, 3), (4, 6), (5, 5), (8, 3), (10, 10), (20, 20), (25, 25), (7, 43)]:
        yield pair(f"{n_a} against {n_b}, no difference", normal(90, 3, n_a), normal(90, 3, n_b))
    for n_a, n_b in [(5, 5), (7, 9), (20, 25), (30, 30), (40, 70)]:
        yield pair(f"{n_a} against {n_b}, unequal variances", normal(93, 1, n_a), normal(90, 6, n_b))
    for n_a, n_b in [(3, 4), (5, 5), (6, 8), (9, 7)]:
        yield pair(f"{n_a} against {n_b}, tied", normal(9, 1.5, n_a, 0), normal(8, 1.5, n_b, 0))
    for n_a, n_b in [(30, 30), (26, 25), (100, 60)]:
        yield pair(f"{n_a} against {n_b}, tied, asymptotic", normal(9, 1.5, n_a, 0), normal(8, 1.5, n_b, 0))
    yield pair("one side does not vary", [50.0] * 5, normal(49, 2, 5))
    yield pair("far apart", normal(90, 0.5, 5), normal(50, 0.1, 5))
    yield pair("far apart, many", normal(90, 3, 60), normal(50, 3, 60))
    yield pair("small differences of large values", normal(1e5, 2, 6), normal(1e5 + 1, 2, 6))
    yield pair("small values", normal(3e-9, 1e-9, 6, 15), normal(2e-9, 1e-9, 6, 15))
    yield pair("equal samples", [1, 2, 3, 4, 5], [5, 4, 3, 2, 1])


def fit(n, x, with_coherency):
    def model(n, rate, contention, coherency=0.0):
        return rate * n / (1 + contention * (n - 1) + coherency * n * (n - 1))

    upper = [np.inf, 1, np.inf] if with_coherency else [np.inf, 1]
    best, least = None, np.inf
    for contention in [0.001, 0.1, 0.5, 0.99]:
        for coherency in [1e-5, 1e-3, 0.1]:
            start = [x[0] / n[0], contention, coherency][: len(upper)]
            c, _ = optimize.curve_fit(model, n, x, p0=start, bounds=([0] * len(upper), upper), ftol=1e-15, xtol=1e-15,
                                      gtol=1e-15, x_scale=[start[0], 0.1, 0.01][: len(upper)], max_nfev=20000)
            residual = ((x - model(n, *c)) ** 2).sum()
            if residual < least:
                best, least = c, residual
    return [*best, 1 - least / ((x - x.mean()) ** 2).sum()]


def scaling(name, n, x):
    n, x = np.asarray(n, float), np.asarray(x, float)
    rate, serial_fraction, r2 = fit(n, x, False)
    usl_rate, contention, coherency, usl_r2 = fit(n, x, True)
    return {"name": name, "n": n, "throughput": x,
            "amdahl": {"serial_fraction": serial_fraction, "rate": rate, "r2": r2},
            "usl": {"contention": contention, "coherency": coherency, "rate": usl_rate, "r2": usl_r2}}


def scalings():
    def curve(n, rate, contention, coherency, noise):
        n = np.asarray(n, float)
        exact = rate * n / (1 + contention * (n - 1) + coherency * n * (n - 1))
        return n, np.round(exact * rng.normal(1, noise, len(n)), 3)

    eight = np.arange(1, 9)
    yield scaling("contention and coherency", *curve(eight, 50, 0.08, 0.004, 0.01))
    yield scaling("contention alone", *curve(eight, 50, 0.2, 0, 0.02))
    yield scaling("nearly linear", *curve(eight, 100, 0.002, 0, 0.01))
    yield scaling("better than linear", eight, [50, 104, 158, 214, 270, 328, 385, 443])
    yield scaling("permit for one", eight, [50, 51, 49, 50.5, 50, 49.5, 50.2, 49.9])
    yield scaling("every agent costs", eight, [50, 45, 40, 36, 33, 30, 28, 26])
    yield scaling("five runs at each size", *curve(np.repeat([1, 2, 4, 8, 16, 32], 5), 20, 0.05, 0.0008, 0.03))
    yield scaling("a size at which all failed", eight, [50, 92, 127, 0, 180, 199, 214, 226])
    yield scaling("no agent alone", *curve([2, 4, 6, 8, 12], 1e6, 0.1, 0.01, 0.02))
    yield scaling("saturation, then decline", *curve([1, 2, 4, 8, 16, 32, 64, 128], 0.01, 0.03, 0.0005, 0.0))


def levels(name, samples):
    between, within = len(samples) - 1, sum(map(len, samples)) - len(samples)
    f = stats.f_oneway(*samples).statistic
    means, grand_mean = [np.mean(s) for s in samples], np.mean(np.concatenate(samples))
    return {"name": name, "levels": samples, "eta_squared": f * between / (f * between + within),
            "range_pct": (max(means) - min(means)) / abs(grand_mean) * 100}


def one_sample(name, x, reference, margin):
    x = np.asarray(x, float)
    result = stats.ttest_1samp(x, reference)
    return {"name": name, "x": x, "reference": reference, "margin": margin, "difference": x.mean() - reference,
            "t": result.statistic, "df": len(x) - 1, "p": result.pvalue,
            "ci95": interval95(len(x) - 1, x.mean() - reference, stats.sem(x)),
            "p_above": stats.ttest_1samp(x, reference + margin, alternative="greater").pvalue,
            "equivalence_p": DescrStatsW(x).ttost_mean(reference - margin, reference + margin)[0]}


def one_samples():
    for n, mean in ((2, 90), (5, 95), (30, 95.6), (120, 98)):
        yield one_sample(f"{n} against 95.7", np.round(rng.normal(mean, 3, n), 4), 95.7, 1.5)
    yield one_sample("small values", np.round(rng.normal(3e-9, 1e-9, 7), 15), 2.5e-9, 1e-9)


def equivalence(name, a, b, margin):
    return {"name": name, "a": a, "b": b, "margin": margin,
            "p_above": stats.ttest_ind(a, b + margin, equal_var=False, alternative="greater").pvalue,
            "p_not_below": stats.ttest_ind(a, b - margin, equal_var=False, alternative="greater").pvalue,
            "p": ttost_ind(a, b, -margin, margin, usevar="unequal")[0]}


def equivalences():
    for n_a, n_b, mean, sd in ((2, 3, 90, 3), (5, 5, 90.5, 1), (30, 30, 90.2, 2), (40, 70, 91, 6), (5, 60, 89, 0.5)):
        a, b = np.round(rng.normal(mean, sd, n_a), 4), np.round(rng.normal(90, 3, n_b), 4)
        for margin in (0.5, 1, 3):
            yield equivalence(f"{n_a} against {n_b}, within {margin}", a, b, margin)


def power(df, errors, alpha):
    """Of a two-sided t test, by integration: noncentral t in SciPy 1.10, which statsmodels takes, is off by up to 2e-9."""
    with mpmath.workdps(30):
        def below(t):
            def at(u):
                return (mpmath.ncdf(t * mpmath.sqrt(u / df) - errors) * u ** (mpmath.mpf(df) / 2 - 1)
                        * mpmath.exp(-u / 2) / (2 ** (mpmath.mpf(df) / 2) * mpmath.gamma(mpmath.mpf(df) / 2)))
            return mpmath.quad(at, [0, df / 8, df / 2, df, 2 * df, 4 * df, 10 * df + 200])

        def lacking(t):
            x = df / (df + t * t)
            return mpmath.betainc(mpmath.mpf(df) / 2, 0.5, 0, x, regularized=True) - alpha
        t = mpmath.findroot(lacking, mpmath.mpf(stats.t.isf(alpha / 2, df)))
        return float(1 - below(t) + below(-t))


def powers():
    """Two samples of one size and deviation: there, Welch's and Student's tests have the same degrees of freedom."""
    for n in (2, 3, 5, 10, 30, 200):
        for effect in (0.2, 0.5, 0.8, 2):
            for alpha in (0.05, 0.05 / 6):
                two, one = power(2 * n - 2, effect * np.sqrt(n / 2), alpha), power(n - 1, effect * np.sqrt(n), alpha)
                assert abs(TTestIndPower().power(effect, n, alpha) / two - 1) < 1e-8
                assert abs(TTestPower().power(effect, n, alpha) / one - 1) < 1e-8
                yield {"n": n, "sd": 3.5, "difference": effect * 3.5, "alpha": alpha, "two_samples": two,
                       "one_sample": one}


def bootstraps():
    """Sums of one sample over sums of another, as a rate is; many draws, so that the reference has little error."""
    for n_a, n_b in ((5, 8), (26, 30)):
        a, b = np.round(rng.normal(900, 120, n_a), 2), np.round(rng.exponential(7, n_b), 3)
        draws = 400000
        ratios = (a[rng.integers(0, n_a, (draws, n_a))].sum(axis=1) / b[rng.integers(0, n_b, (draws, n_b))].sum(axis=1))
        yield {"a": a, "b": b, "ci95": np.percentile(ratios, [2.5, 97.5])}


def hamed_rao(x, y, slope):
    """n / n* of Hamed and Rao (1998), as pyMannKendall computes it, and at least 1."""
    n = len(y)
    ranks = stats.rankdata(y - slope * x)
    ranks = ranks - ranks.mean()
    acf = [(ranks[: n - k] * ranks[k:]).sum() / (ranks * ranks).sum() for k in range(n)]
    limit = stats.norm.ppf(0.975) / np.sqrt(n)
    total = sum((n - k) * (n - k - 1) * (n - k - 2) * acf[k] for k in range(1, n - 2) if abs(acf[k]) > limit)
    return max(1.0, 1 + 2 / (n * (n - 1) * (n - 2)) * total)


def trends():
    def trend(name, x, y):
        slope = stats.theilslopes(y, x)
        kendall = stats.kendalltau(x, y, method="asymptotic")
        return {"name": name, "x": x, "y": y, "slope": slope[0], "ci95": [slope[2], slope[3]], "tau": kendall.statistic,
                "p": kendall.pvalue, "dependence": hamed_rao(x, y, slope[0])}

    for n in (4, 5, 12, 40, 200):
        x = np.arange(n) * 0.5
        yield trend(f"{n} points, noise", x, np.round(rng.normal(50, 2, n), 4))
        yield trend(f"{n} points, growing", x, np.round(50 + 0.3 * x + rng.normal(0, 0.5, n), 4))
    yield trend("ties", np.arange(30.0), np.round(rng.normal(10, 1, 30)))
    yield trend("steps", np.arange(60.0), np.floor(np.arange(60) / 10.0))
    yield trend("uneven moments", np.cumsum(rng.exponential(2, 25)).round(3), np.round(rng.normal(0, 1, 25), 3))
    yield trend("a walk", np.arange(150.0), np.cumsum(rng.normal(0, 1, 150)).round(4))


def drift(name, sizes, slope, noise):
    groups, y, design = [], [], []
    for g, n in enumerate(sizes):
        at = np.sort(rng.choice(200, n, replace=False)).astype(float)
        values = np.round(rng.normal(50 + 7 * g, noise, n) + slope * at, 4)
        groups.append([[a, v] for a, v in zip(at, values)])
        y.extend(values)
        design.extend([a] + [float(g == k) for k in range(len(sizes))] for a in at)
    fit = statsmodels.regression.linear_model.OLS(y, np.array(design)).fit()
    return {"name": name, "groups": groups, "slope": fit.params[0], "t": fit.tvalues[0], "p": fit.pvalues[0],
            "df": fit.df_resid, "ci95": interval95(fit.df_resid, fit.params[0], fit.bse[0])}


def drifts():
    yield drift("three runtimes that drift", (10, 12, 9), 0.05, 2)
    yield drift("one runtime", (15,), -0.1, 1)
    yield drift("no drift", (30, 30, 30, 30), 0, 3)


def plain(value):
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else list(value)


groups = {
    "descriptions": [{"x": x, **description(x)} for x in (
        [81.5, 82.25, 80.0, 95.0, 81.0, 81.75], np.round(rng.normal(90, 3, 5), 3), np.round(rng.exponential(20, 60), 2),
        np.round(rng.normal(-1e-6, 1e-7, 12), 12), [3.0, 7.0])],
    "pairs": pairs(),
    "scaling": scalings(),
    "levels": [levels("three equal levels", [np.round(rng.normal(m, 2, 5), 3) for m in (90, 91, 95)]),
               levels("two unequal levels", [np.round(rng.normal(m, 2, n), 3) for m, n in ((-20, 4), (-22, 9))])],
    "one_samples": one_samples(),
    "equivalences": equivalences(),
    "powers": powers(),
    "bootstraps": bootstraps(),
    "drifts": drifts(),
    "trends": trends(),
}
print(f'{{"written_by": "scipy_reference.py with SciPy {scipy.__version__}, NumPy {np.__version__}, '
      f'statsmodels {statsmodels.__version__}"', end="")
for group, cases in groups.items():  # a case a line
    print(f',\n"{group}": [\n' + ",\n".join(json.dumps(case, default=plain) for case in cases) + "\n]", end="")
print("\n}")
