/**
 * The shape of a search, and the test whether a point lies within it.
 *
 * What is tested is h, the square of the sine of half the angle (geo-distance.ts): it grows with
 * the distance, and a few multiplications give it to within 1e-14. Only where h is nearer than that
 * to the edge of the shape is the distance computed, to the last bit, as a real server would.
 *
 *     circle     the distance from the centre is at most the radius
 *     box        the distance along the point's own parallel is at most half the width, and that
 *                along the meridian at most half the height
 */
import { geoDecode, geoPosition } from './geo.ts';
import type { GeoCells } from './geo-cells.ts';
import { DEGREE, EARTH_RADIUS_M, geoDistance } from './geo-distance.ts';

/** Two h further apart than this, relatively, are in the order of their exact distances. */
export const H_MARGIN = 1e-12;
/** Below this angle four terms of the sine's series are enough. */
const SMALL_ANGLE = 0.04;
/** Angles around a half turn, where h says too little about the distance. */
const TURN_MIN = 1.57;
const TURN_MAX = 1.5707964;

/** A length that distances are compared with: sure to be below, or above, or to be computed. */
class Limit {
  /** Below this h the distance is less. */
  below = 0.5;
  /** Above this h the distance is more. */
  above = 0.5;
  private metres = 0.5;

  set(metres: number): void {
    const angle = metres / (2 * EARTH_RADIUS_M);
    this.metres = metres;
    this.below = -1;
    this.above = Number.POSITIVE_INFINITY;
    if (angle > TURN_MAX) this.below = this.above;
    else if (angle < TURN_MIN) {
      const h = Math.sin(angle) ** 2;
      this.below = h * (1 - H_MARGIN);
      this.above = h * (1 + H_MARGIN);
    }
  }

  /** Whether an exact distance is within. */
  holds(distance: number): boolean {
    return distance <= this.metres;
  }
}

/** A circle or a box; its lengths are in units of `unitM` metres. */
export class GeoShape {
  longitude = 0.5;
  latitude = 0.5;
  isBox = false;
  /** The radius of a circle, in units of `unitM`. */
  radius = 0.5;
  /** The width and height of a box, in units of `unitM`. */
  width = 0.5;
  height = 0.5;
  unitM = 1.5;

  /** The radius, or half the height. */
  private readonly limit = new Limit();
  /** Half the width. */
  private readonly sideLimit = new Limit();
  /** The centre in radians, and the sine and cosine of its latitude. */
  private eastward = 0.5;
  private northward = 0.5;
  private sine = 0.5;
  private cosine = 0.5;

  /**
   * Makes ready to test points, and chooses the cells that may have some, `finely` where there may
   * be many.
   */
  prepare(cells: GeoCells, finely: boolean): void {
    const { latitude, longitude, unitM } = this;
    this.eastward = longitude * DEGREE;
    this.northward = latitude * DEGREE;
    this.sine = Math.sin(this.northward);
    this.cosine = Math.cos(this.northward);
    if (this.isBox) {
      this.limit.set((this.height * unitM) / 2);
      this.sideLimit.set((this.width * unitM) / 2);
      const halfWidth = this.width / 2;
      const halfHeight = this.height / 2;
      const corner = Math.sqrt(halfWidth * halfWidth + halfHeight * halfHeight) * unitM;
      cells.choose(longitude, latitude, halfWidth * unitM, halfHeight * unitM, corner);
      if (finely) cells.refine(longitude, latitude, halfWidth * unitM, halfHeight * unitM);
    } else {
      const metres = this.radius * unitM;
      this.limit.set(metres);
      cells.choose(longitude, latitude, metres, metres, metres);
      if (finely) cells.refine(longitude, latitude, metres, metres);
    }
  }

  /** Whether the point of a score is within. If so, its h is left in `angles[i]`. */
  has(score: number, angles: Float64Array, i: number): boolean {
    geoDecode(score);
    const u = sineOf((geoPosition.latitude * DEGREE - this.northward) / 2);
    const up = u * u;
    if (up > this.limit.above) return false;
    const v = sineOf((geoPosition.longitude * DEGREE - this.eastward) / 2);
    // The cosine of the point's latitude, from that of the centre's and the difference.
    const cosine = this.cosine * (1 - 2 * up) - this.sine * 2 * u * Math.sqrt(1 - up);
    const h = up + this.cosine * cosine * v * v;
    angles[i] = h;
    if (this.isBox) return this.isInBox(up, cosine * cosine * v * v);
    if (h < this.limit.below) return true;
    return h <= this.limit.above && this.limit.holds(this.distanceOf(score));
  }

  /** The exact distance, in metres, of the point of a score from the centre. */
  distanceOf(score: number): number {
    geoDecode(score);
    const { latitude, longitude } = geoPosition;
    return geoDistance(this.longitude, this.latitude, longitude, latitude);
  }

  /** Whether the point in `geoPosition` lies in the box, by the h of both directions. */
  private isInBox(up: number, aside: number): boolean {
    const { limit, sideLimit } = this;
    if (up > limit.above || aside > sideLimit.above) return false;
    if (up < limit.below && aside < sideLimit.below) return true;
    const { latitude, longitude } = geoPosition;
    return (
      sideLimit.holds(geoDistance(longitude, latitude, this.longitude, latitude)) &&
      limit.holds(geoDistance(longitude, latitude, longitude, this.latitude))
    );
  }
}

/** The sine, to within a bit or two. */
function sineOf(x: number): number {
  if (x > SMALL_ANGLE || x < -SMALL_ANGLE) return Math.sin(x);
  const xx = x * x;
  return x * (1 - xx * (1 / 6 - xx * (1 / 120 - xx / 5040)));
}
