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
 */
import { columnStart, geoBits, geoColumn, geoRow, interleave, rowStart, STEPS_MAX } from './geo.ts';
import { DEGREE, EARTH_RADIUS_M } from './geo-distance.ts';

const TWO_32 = 0x1_0000_0000;
const CELLS_MAX = 9;
/** Half the width of the world in the projection: the radius that needs one step. */
const MERCATOR_MAX_M = 20_037_726.37;
/** Columns and rows of the cells, from the centre's, in the order of the search. */
const COLUMNS = [0, 0, 0, 1, -1, 1, -1, 1, -1];
const ROWS = [0, 1, -1, 0, 0, 1, 1, -1, -1];

/** The ranges of scores to look into: min[i] <= score < max[i], for i < count. */
export class GeoCells {
  count = 0;
  readonly min = new Float64Array(CELLS_MAX);
  readonly max = new Float64Array(CELLS_MAX);

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

  private add(column: number, row: number, steps: number): void {
    const finer = STEPS_MAX - steps;
    const i = this.count++;
    this.min[i] = interleave(column * 2 ** finer, row * 2 ** finer);
    this.max[i] = geoBits.high * TWO_32 + (geoBits.low + 4 ** finer);
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
  return by === 0 ? number : (number + by) & (2 ** steps - 1);
}
