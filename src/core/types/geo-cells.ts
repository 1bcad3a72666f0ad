/**
 * Which cells of the grid a search has to look into: the one of its centre and up to eight around.
 *
 *     6 NW | 1 N | 5 NE          looked into in this order, which is that of unsorted results
 *     -----+-----+-----
 *      4 W | 0   |  3 E          steps: the grid is 2^steps by 2^steps, as fine as the shape allows
 *     -----+-----+-----
 *     8 SW | 2 S | 7 SE
 *
 * The grid is chosen by the radius, one coarser towards the poles, and one coarser again when the
 * neighbours do not reach the bounding box. Cells wholly outside the box are left out. At the edges
 * of the world the neighbours are those on the other side: across the antimeridian that is right,
 * and beyond a pole harmless, since every point found is measured.
 *
 * The bounding box is Redis's, with its limits: its east and west ends are those at the latitude of
 * the edge nearer to the pole, also beyond it, and it does not wrap. What a real server misses by
 * that, near the poles or with a huge shape, is missed here as well.
 *
 * Of a large zset most points in these cells are far from the shape. `refine` cuts the cells into
 * smaller ones and leaves out those that lie wholly beyond a frame around the shape: wide enough
 * that no point outside it can be within. What is found, and in which order, stays the same.
 */
import {
  columnStart,
  geoBits,
  geoColumn,
  geoRow,
  interleave,
  LONGITUDE_MAX,
  POWERS,
  rowStart,
  STEPS_MAX,
} from './geo.ts';
import { DEGREE, EARTH_RADIUS_M } from './geo-distance.ts';

const TWO_32 = 0x1_0000_0000;
const CELLS_MAX = 9;
/** Times that a cell may be cut into four. */
const CUTS_MAX = 3;
/** Frames that come nearer to a pole, or reach further around the world, are not worth it. */
const COSINE_MIN = 0.01;
const SINE_MAX = 0.9;
/** How much wider a frame is than the shape, in radians and relatively; and by a row or column. */
const FRAME_MARGIN = 1e-9;
/** Half the width of the world in the projection: the radius that needs one step. */
const MERCATOR_MAX_M = 20_037_726.37;
/** Columns and rows of the cells, from the centre's, in the order of the search. */
const COLUMNS = [0, 0, 0, 1, -1, 1, -1, 1, -1];
const ROWS = [0, 1, -1, 0, 0, 1, 1, -1, -1];

/** The ranges of scores to look into: min[i] <= score < max[i], for i < count. */
export class GeoCells {
  count = 0;
  readonly min = new Float64Array(CELLS_MAX << (2 * CUTS_MAX));
  readonly max = new Float64Array(CELLS_MAX << (2 * CUTS_MAX));
  /** The cells that were chosen, before they were cut. */
  private readonly columns = new Float64Array(CELLS_MAX);
  private readonly rows = new Float64Array(CELLS_MAX);
  private steps = 0;

  /**
   * Chooses the cells for a shape: its centre, half its width and height, and how far its farthest
   * point is, all in metres.
   */
  choose(
    longitude: number,
    latitude: number,
    halfWidthM: number,
    halfHeightM: number,
    radiusM: number,
  ): void {
    setBounds(longitude, latitude, halfWidthM, halfHeightM);
    let steps = stepsFor(radiusM, latitude);
    if (steps > 1 && !reaches(longitude, latitude, steps)) steps--;
    const column = geoColumn(longitude, steps);
    const row = geoRow(latitude, steps);
    const useWest = steps < 2 || columnStart(column, steps) >= bounds.west;
    const useEast = steps < 2 || columnStart(column + 1, steps) <= bounds.east;
    const useSouth = steps < 2 || rowStart(row, steps) >= bounds.south;
    const useNorth = steps < 2 || rowStart(row + 1, steps) <= bounds.north;
    this.count = 0;
    for (let i = 0, x = -1, y = -1; i < CELLS_MAX; i++) {
      const east = COLUMNS[i]!;
      const north = ROWS[i]!;
      if ((east > 0 && !useEast) || (east < 0 && !useWest)) continue;
      if ((north > 0 && !useNorth) || (north < 0 && !useSouth)) continue;
      const nextX = moved(column, east, steps);
      const nextY = moved(row, north, steps);
      // A grid of two by two has the same neighbour on both sides.
      if (nextX === x && nextY === y) continue;
      this.add(nextX, nextY, steps);
      if (i === 0) continue;
      x = nextX;
      y = nextY;
    }
  }

  /**
   * Leaves out parts of the cells that a shape, with its centre, half its width and half its
   * height in metres, cannot reach.
   */
  refine(longitude: number, latitude: number, halfWidthM: number, halfHeightM: number): void {
    if (!setFrame(longitude, latitude, halfWidthM, halfHeightM)) return;
    const cells = this.count;
    const size = POWERS[this.steps]!;
    for (let i = 0; i < cells; i++) if (this.columns[i]! >= size || this.rows[i]! >= size) return;
    this.count = 0;
    for (let i = 0; i < cells; i++) {
      this.cut(this.columns[i]!, this.rows[i]!, this.steps, this.steps + CUTS_MAX);
    }
  }

  /** Adds what the frame meets of a cell, cut down to a grid of 2^most. */
  private cut(column: number, row: number, steps: number, most: number): void {
    const size = POWERS[STEPS_MAX - steps]!;
    const west = column * size;
    const south = row * size;
    const east = west + size - 1;
    const north = south + size - 1;
    if (west > frame.east || east < frame.west) return;
    if (south > frame.north || north < frame.south) return;
    const isInside =
      west >= frame.west && east <= frame.east && south >= frame.south && north <= frame.north;
    if (isInside || steps >= most || steps >= STEPS_MAX) {
      this.range(column, row, steps);
      return;
    }
    // In the order of their scores, in which the bit of the longitude comes first.
    this.cut(column * 2, row * 2, steps + 1, most);
    this.cut(column * 2, row * 2 + 1, steps + 1, most);
    this.cut(column * 2 + 1, row * 2, steps + 1, most);
    this.cut(column * 2 + 1, row * 2 + 1, steps + 1, most);
  }

  private add(column: number, row: number, steps: number): void {
    this.columns[this.count] = column;
    this.rows[this.count] = row;
    this.steps = steps;
    const finer = STEPS_MAX - steps;
    const i = this.count++;
    this.min[i] = interleave(column * POWERS[finer]!, row * POWERS[finer]!);
    this.max[i] = geoBits.high * TWO_32 + (geoBits.low + POWERS[2 * finer]!);
  }

  /** Adds the scores of a cell, to the range before them where they follow it. */
  private range(column: number, row: number, steps: number): void {
    const finer = STEPS_MAX - steps;
    const min = interleave(column * POWERS[finer]!, row * POWERS[finer]!);
    const max = min + POWERS[2 * finer]!;
    const i = this.count;
    if (i > 0 && this.max[i - 1] === min) {
      this.max[i - 1] = max;
      return;
    }
    this.min[i] = min;
    this.max[i] = max;
    this.count = i + 1;
  }
}

const bounds = { west: 0, east: 0, south: 0, north: 0 };

function setBounds(longitude: number, latitude: number, halfWidthM: number, halfHeightM: number) {
  const up = halfHeightM / EARTH_RADIUS_M / DEGREE;
  const edge = latitude < 0 ? latitude - up : latitude + up;
  const aside = halfWidthM / EARTH_RADIUS_M / Math.cos(edge * DEGREE) / DEGREE;
  bounds.west = longitude - aside;
  bounds.east = longitude + aside;
  bounds.south = latitude - up;
  bounds.north = latitude + up;
}

/** The rows and columns of the finest grid, from first to last, that a shape can reach. */
const frame = { west: 0, east: 0, south: 0, north: 0 };

/** Sets the frame around a shape; false when there is none that is worth it. */
function setFrame(
  longitude: number,
  latitude: number,
  halfWidthM: number,
  halfHeightM: number,
): boolean {
  const up = (halfHeightM / EARTH_RADIUS_M) * (1 + FRAME_MARGIN) + FRAME_MARGIN;
  const cosine = Math.cos(Math.min(Math.abs(latitude) * DEGREE + up, Math.PI / 2));
  if (!(cosine > COSINE_MIN)) return false;
  // Both distances that a shape may ask for are at least that along the parallel nearest to a pole.
  const angle = Math.min(halfWidthM / (2 * EARTH_RADIUS_M), Math.PI / 2);
  const sine = Math.sin(angle) / cosine;
  if (!(sine < SINE_MAX)) return false;
  const aside = 2 * Math.asin(sine) * (1 + FRAME_MARGIN) + FRAME_MARGIN;
  const west = longitude - aside / DEGREE;
  const east = longitude + aside / DEGREE;
  if (west < -LONGITUDE_MAX || east > LONGITUDE_MAX) return false;
  frame.west = geoColumn(west, STEPS_MAX) - 1;
  frame.east = geoColumn(east, STEPS_MAX) + 1;
  frame.south = geoRow(latitude - up / DEGREE, STEPS_MAX) - 1;
  frame.north = geoRow(latitude + up / DEGREE, STEPS_MAX) + 1;
  return true;
}

/** The finest grid whose cells are likely to be no smaller than the radius. */
function stepsFor(radiusM: number, latitude: number): number {
  if (radiusM === 0) return STEPS_MAX;
  let steps = -1;
  for (let reach = radiusM; reach < MERCATOR_MAX_M; reach *= 2) steps++;
  const away = Math.abs(latitude);
  if (away > 66) steps--;
  if (away > 80) steps--;
  return Math.min(Math.max(steps, 1), STEPS_MAX);
}

/** Whether the neighbours of the centre's cell reach the ends of the bounding box. */
function reaches(longitude: number, latitude: number, steps: number): boolean {
  const column = geoColumn(longitude, steps);
  const row = geoRow(latitude, steps);
  return !(
    rowStart(moved(row, 1, steps) + 1, steps) < bounds.north ||
    rowStart(moved(row, -1, steps), steps) > bounds.south ||
    columnStart(moved(column, 1, steps) + 1, steps) < bounds.east ||
    columnStart(moved(column, -1, steps), steps) > bounds.west
  );
}

/** A column or row `by` further, around the world; without a move it stays beyond the edge. */
function moved(number: number, by: number, steps: number): number {
  return by === 0 ? number : (number + by) & (POWERS[steps]! - 1);
}
