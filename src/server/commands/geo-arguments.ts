/**
 * Arguments that the geo commands share: positions, lengths with their unit. Each reads on from
 * where the option reader stands and leaves the first error with it.
 */
import type { Args } from '../../core/resp/args.ts';
import { formatFixed } from '../../core/text/fixed.ts';
import { isGeoPosition } from '../../core/types/geo.ts';
import type { GeoShape } from '../../core/types/geo-shape.ts';
import type { OptionReader } from '../dispatch/option-reader.ts';

export const WRONG_UNIT = 'ERR unsupported unit provided. please use M, KM, FT, MI';

/** The last position that was read. */
export const position = { longitude: 0.5, latitude: 0.5 };

/** Reads a longitude and a latitude into `position`. */
export function readPosition(options: OptionReader): void {
  const longitude = options.double();
  if (options.failed) return;
  const latitude = options.double();
  if (options.failed) return;
  position.longitude = longitude;
  position.latitude = latitude;
  if (isGeoPosition(longitude, latitude)) return;
  const pair = `${formatFixed(longitude, 6)},${formatFixed(latitude, 6)}`;
  options.fail(`ERR invalid longitude,latitude pair ${pair}`);
}

/** The unit that argument `i` names, in metres; 0 when it names none. */
export function unitOf(args: Args, i: number): number {
  if (args.is(i, 'm')) return 1;
  if (args.is(i, 'km')) return 1000;
  if (args.is(i, 'ft')) return 0.3048;
  return args.is(i, 'mi') ? 1609.34 : 0;
}

function readUnit(options: OptionReader, args: Args, shape: GeoShape): void {
  shape.unitM = unitOf(args, options.index());
  if (shape.unitM === 0) options.fail(WRONG_UNIT);
}

/** Reads a radius and its unit. */
export function readRadius(options: OptionReader, args: Args, shape: GeoShape): void {
  shape.isBox = false;
  shape.radius = options.double('ERR need numeric radius');
  if (shape.radius < 0) options.fail('ERR radius cannot be negative');
  readUnit(options, args, shape);
}

/** Reads the width and the height of a box, and their unit. */
export function readBox(options: OptionReader, args: Args, shape: GeoShape): void {
  shape.isBox = true;
  shape.width = options.double('ERR need numeric width');
  shape.height = options.double('ERR need numeric height');
  if (shape.width < 0 || shape.height < 0) {
    options.fail('ERR height or width cannot be negative');
  }
  readUnit(options, args, shape);
}
