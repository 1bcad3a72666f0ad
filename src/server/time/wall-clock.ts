/**
 * The time of day in microseconds: the process's steady clock, set by the system's whenever the
 * two have drifted apart.
 */
const DRIFT_MS_MAX = 1.5;

let origin = performance.timeOrigin;

/** Microseconds since 1970. */
export function wallMicroseconds(): number {
  const steady = performance.now();
  const wall = Date.now();
  if (Math.abs(origin + steady - wall) > DRIFT_MS_MAX) origin = wall - steady;
  return Math.floor((origin + steady) * 1000);
}
