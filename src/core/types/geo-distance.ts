/**
 * Distances on the sphere, by the haversine formula with Redis's radius of the earth.
 *
 *     h = sin^2((lat2 - lat1) / 2) + cos lat1 cos lat2 sin^2((lon2 - lon1) / 2)
 *     distance = 2 R asin(sqrt h)
 *              = R |lat2 - lat1|       on the same meridian
 *
 * At opposite ends of the earth h may come out one bit above 1, of which the square root is 1.
 *
 * `geoDistance` is what a real server computes, to the last bit, with the sines of the C library
 * (geo-trig.ts). Distances that are printed with four digits need that only near a tie.
 *
 * Source: R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68 (1984).
 */
import { libraryAsin, libraryCos, librarySin } from './geo-trig.ts';

/** The quadratic mean radius of WGS 84, in metres. */
export const EARTH_RADIUS_M = 6_372_797.560856;
export const DEGREE = Math.PI / 180;

/** Above this an h says too little about the distance: the arc sine is steep there. */
export const H_FAR = 0.99;
/** How far a distance from an h below that may be off, relatively, and is not by a tenth of it. */
const ROUGH_MARGIN = 1e-13;

/** The distance in metres that an h below H_FAR means, to within some bits. */
export function roughDistance(h: number): number {
  return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(h));
}

/** Whether a rough distance has the four digits behind the point that the exact one has. */
export function isPrintable(distance: number): boolean {
  const scaled = distance * 10_000;
  const fraction = scaled - Math.floor(scaled);
  return Math.abs(fraction - 0.5) > scaled * ROUGH_MARGIN;
}

/** The distance of two positions in units of `unitM` metres, fit to be printed with four digits. */
export function printableDistance(
  longitude1: number,
  latitude1: number,
  longitude2: number,
  latitude2: number,
  unitM: number,
): number {
  const from = latitude1 * DEGREE;
  const to = latitude2 * DEGREE;
  const u = Math.sin((to - from) / 2);
  const v = Math.sin((longitude2 * DEGREE - longitude1 * DEGREE) / 2);
  const h = u * u + Math.cos(from) * Math.cos(to) * v * v;
  const distance = roughDistance(h) / unitM;
  if (h < H_FAR && isPrintable(distance)) return distance;
  return geoDistance(longitude1, latitude1, longitude2, latitude2) / unitM;
}

/** The distance of two positions in metres, to the last bit. */
export function geoDistance(
  longitude1: number,
  latitude1: number,
  longitude2: number,
  latitude2: number,
): number {
  const from = latitude1 * DEGREE;
  const to = latitude2 * DEGREE;
  const v = librarySin((longitude2 * DEGREE - longitude1 * DEGREE) / 2);
  if (v === 0) return EARTH_RADIUS_M * Math.abs(to - from);
  const u = librarySin((to - from) / 2);
  // In this order: the roundings show in the last digits.
  const h = u * u + libraryCos(from) * libraryCos(to) * v * v;
  return 2 * EARTH_RADIUS_M * libraryAsin(Math.sqrt(h));
}
