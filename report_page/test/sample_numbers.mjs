// Numbers for the sample documents: drawn from a seed, and described.

/** Mulberry32: a small generator of numbers in [0, 1) with a seed. */
export function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const sum = (xs) => xs.reduce((a, b) => a + b, 0);
export const mean = (xs) => sum(xs) / xs.length;
export const sd = (xs) => (xs.length < 2 ? null : Math.sqrt(sum(xs.map((x) => (x - mean(xs)) ** 2)) / (xs.length - 1)));

export function quantile(sorted, q) {
  const at = q * (sorted.length - 1),
    low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/** n, mean, sd, ... of what was measured; null when nothing was. */
export function describe(all) {
  const xs = all.filter((x) => x != null).sort((a, b) => a - b);
  if (xs.length === 0) return null;
  const t = xs.length >= 20 ? 2.045 : 2.0 + 2.4 / (xs.length - 1);
  const half = xs.length < 2 ? null : (t * sd(xs)) / Math.sqrt(xs.length);
  return {
    n: xs.length,
    mean: mean(xs),
    sd: sd(xs),
    cv_pct: sd(xs) == null ? null : (100 * sd(xs)) / mean(xs),
    median: quantile(xs, 0.5),
    min: xs[0],
    max: xs.at(-1),
    ci95: half == null ? null : [mean(xs) - half, mean(xs) + half],
  };
}
