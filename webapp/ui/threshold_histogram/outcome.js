// What a threshold does to labelled values, from the histograms of GET /threshold: counts in steps of 0.001.

export const STEPS = 1000;

function sumFrom(counts, step) {
  let sum = 0;
  for (let k = step; k < STEPS; k++) sum += counts[k];
  return sum;
}

// {recall, falseAlarms, f1}: shares from 0 to 1, null where there is nothing to take a share of.
export function outcomeOf({ normal, anomalous }, threshold) {
  const step = Math.round(threshold * STEPS);
  const [found, all] = [sumFrom(anomalous, step), sumFrom(anomalous, 0)];
  const [alarms, good] = [sumFrom(normal, step), sumFrom(normal, 0)];
  return {
    recall: all ? found / all : null,
    falseAlarms: good ? alarms / good : null,
    f1: all ? (2 * found) / (found + alarms + all) : null,
    counts: { found, all, alarms, good },
  };
}

export function probabilityAt({ slope, intercept }, score) {
  const inside = Math.min(1 - 1e-6, Math.max(1e-6, score));
  return 1 / (1 + Math.exp(-(slope * Math.log(inside / (1 - inside)) + intercept)));
}
