/**
 * GEOSEARCH and GEOSEARCHSTORE, and the search that GEORADIUS and its kin (geo-radius.ts) share.
 *
 *     1  the key's type, then the arguments in their order: the first wrong one is answered
 *     2  what does not go together
 *     3  the search (core/types/geo-search.ts), then its hits: answered, or stored as a zset in
 *        place of whatever the destination held, with the distances or the scores that they had
 *
 * Without its key a search finds nothing, and a member cannot be missing: then only the form of the
 * arguments is judged.
 *
 * A search with COUNT and no order takes the nearest; with ANY it ends as soon as it has enough.
 */
import { ElementView } from '../../core/types/element-view.ts';
import { geoBits, geoDecode, geoInteger, geoPosition } from '../../core/types/geo.ts';
import { AS_MET, FARTHEST_FIRST, GeoSearch, NEAREST_FIRST } from '../../core/types/geo-search.ts';
import { ZsetResult } from '../../core/types/zset-result.ts';
import { ZsetView } from '../../core/types/zset-view.ts';
import { TYPE_ZSET } from '../../core/value.ts';
import { command, DENYOOM, keyAt, READONLY, WRITE } from '../dispatch/command.ts';
import { type Context, WRONG } from '../dispatch/context.ts';
import { NOTIFY_NEW, NOTIFY_ZSET } from '../dispatch/notify-classes.ts';
import { OptionReader } from '../dispatch/option-reader.ts';
import { replyDistance, replyPosition, scoreOf } from './geo.ts';
import { position, readBox, readPosition, readRadius } from './geo-arguments.ts';

/** Which command searches, as bits: its centre, its shape, and where its result may go. */
export const FROM_POSITION = 1 << 0;
export const FROM_MEMBER = 1 << 1;
export const MAY_STORE = 1 << 2;
const BY_OPTIONS = 1 << 3;
const STORES = 1 << 4;

const NO_MEMBER = 'ERR could not decode requested zset member';
const EVERY = Number.POSITIVE_INFINITY;

/** What a command asks for, besides the shape. */
class GeoRequest {
  /** Whether the centre or the shape are known, as FROM_*; the shape is a box, or a circle. */
  centre = 0;
  hasRadius = false;
  hasBox = false;
  order: number = AS_MET;
  /** Most hits that are wanted; 0 for all. */
  count = 0;
  isAny = false;
  withDistance = false;
  withHash = false;
  withPosition = false;
  /** The argument that is the destination, 0 for none. */
  storeAt = 0;
  storesDistance = false;

  reset(): void {
    this.centre = 0;
    this.hasRadius = false;
    this.hasBox = false;
    this.order = AS_MET;
    this.count = 0;
    this.isAny = false;
    this.withDistance = false;
    this.withHash = false;
    this.withPosition = false;
    this.storeAt = 0;
    this.storesDistance = false;
  }

  /** Elements of each hit's reply behind the member. */
  get extras(): number {
    return Number(this.withDistance) + Number(this.withHash) + Number(this.withPosition);
  }
}

const options = new OptionReader();
const request = new GeoRequest();
const search = new GeoSearch();
const result = new ZsetResult();
const view = new ZsetView();
const member = new ElementView();

function geosearchCommand(c: Context): void {
  geoSearch(c, 1, BY_OPTIONS);
}

function geosearchstoreCommand(c: Context): void {
  geoSearch(c, 2, BY_OPTIONS | STORES);
}

/** Runs a command that searches the key in argument `source`; `kind` says how. */
export function geoSearch(c: Context, source: number, kind: number): void {
  const address = c.readTyped(source, TYPE_ZSET);
  if (address === WRONG) return;
  request.reset();
  if ((kind & STORES) !== 0) request.storeAt = 1;
  options.start(c.args, source + 1);
  if ((kind & BY_OPTIONS) === 0) readFixed(c, address, kind);
  while (options.more) readOption(c, address, kind);
  if (options.refuse(c.reply)) return;
  const refusal = refusalOf(c, kind);
  if (refusal !== '') {
    c.reply.error(refusal);
    return;
  }
  find(c, address);
  if (request.storeAt > 0) store(c, (kind & BY_OPTIONS) !== 0);
  else replyHits(c);
  search.end(c.keyspace.arena);
}

/** Reads the centre and the radius where they have their place: GEORADIUS and its kin. */
function readFixed(c: Context, address: number, kind: number): void {
  if ((kind & FROM_POSITION) !== 0) readCentre();
  else {
    readMember(c, address);
    if (address === 0) {
      // The radius and its unit are not looked at.
      options.at += 2;
      return;
    }
  }
  if (!options.failed) readRadius(options, c.args, search.shape);
}

function readCentre(): void {
  readPosition(options);
  search.shape.longitude = position.longitude;
  search.shape.latitude = position.latitude;
  request.centre = FROM_POSITION;
}

function readMember(c: Context, address: number): void {
  const i = options.index();
  request.centre = FROM_MEMBER;
  if (address === 0) return;
  const score = scoreOf(c, address, i);
  if (Number.isNaN(score)) {
    options.fail(NO_MEMBER);
    return;
  }
  geoDecode(score);
  search.shape.longitude = geoPosition.longitude;
  search.shape.latitude = geoPosition.latitude;
}

function readOption(c: Context, address: number, kind: number): void {
  if (options.take('withdist')) request.withDistance = true;
  else if (options.take('withhash')) request.withHash = true;
  else if (options.take('withcoord')) request.withPosition = true;
  else if (options.take('any')) request.isAny = true;
  else if (options.take('asc')) request.order = NEAREST_FIRST;
  else if (options.take('desc')) request.order = FARTHEST_FIRST;
  else if (options.take('count', 1)) {
    request.count = options.integer();
    if (request.count <= 0) options.fail('ERR COUNT must be > 0');
  } else if ((kind & BY_OPTIONS) !== 0) readShapeOption(c, address, kind);
  else if ((kind & MAY_STORE) !== 0 && options.take('store', 1)) {
    request.storeAt = options.index();
    request.storesDistance = false;
  } else if ((kind & MAY_STORE) !== 0 && options.take('storedist', 1)) {
    request.storeAt = options.index();
    request.storesDistance = true;
  } else options.fail();
}

/** The options that GEOSEARCH has and GEORADIUS has not. */
function readShapeOption(c: Context, address: number, kind: number): void {
  if ((kind & STORES) !== 0 && options.take('storedist')) request.storesDistance = true;
  else if (request.centre !== FROM_POSITION && options.take('frommember', 1)) {
    readMember(c, address);
  } else if (request.centre !== FROM_MEMBER && options.take('fromlonlat', 2)) readCentre();
  else if (!request.hasBox && options.take('byradius', 2)) {
    readRadius(options, c.args, search.shape);
    request.hasRadius = true;
  } else if (!request.hasRadius && options.take('bybox', 3)) {
    readBox(options, c.args, search.shape);
    request.hasBox = true;
  } else options.fail();
}

/** What does not go together; '' for nothing. */
function refusalOf(c: Context, kind: number): string {
  if (request.storeAt > 0 && request.extras > 0) {
    const what = (kind & STORES) !== 0 ? 'GEOSEARCHSTORE' : 'STORE option in GEORADIUS';
    return `ERR ${what} is not compatible with WITHDIST, WITHHASH and WITHCOORD options`;
  }
  if ((kind & BY_OPTIONS) !== 0) {
    const name = c.args.shown(0);
    if (request.centre === 0) {
      return `ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`;
    }
    if (!request.hasRadius && !request.hasBox) {
      return `ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`;
    }
  }
  if (request.isAny && request.count === 0) return 'ERR the ANY argument requires COUNT argument';
  return '';
}

/** Finds the hits and puts them into their order. */
function find(c: Context, address: number): void {
  search.count = 0;
  if (address === 0) return;
  const { count, isAny, order } = request;
  view.open(c.keyspace, address);
  search.run(view, isAny ? count : EVERY);
  const isNearest = order === AS_MET && count > 0 && !isAny;
  search.sort(isNearest ? NEAREST_FIRST : order, wanted());
}

/** The number of hits that are to be answered. */
function wanted(): number {
  return request.count === 0 ? search.count : Math.min(request.count, search.count);
}

function replyHits(c: Context): void {
  const { reply } = c;
  const { extras, withDistance, withHash, withPosition } = request;
  const count = wanted();
  reply.array(count);
  for (let i = 0; i < count; i++) {
    if (extras > 0) reply.array(extras + 1);
    view.show(search.refAt(i), member);
    reply.bulk(member.bytes, member.offset, member.length);
    if (withDistance) replyDistance(c, search.printableDistanceAt(i));
    if (withHash) {
      geoInteger(search.scoreAt(i));
      reply.integer64(geoBits.low, geoBits.high);
    }
    if (withPosition) replyPosition(c, search.scoreAt(i));
  }
}

/** Stores the hits as a zset under the destination, whatever that held; nothing removes it. */
function store(c: Context, isSearch: boolean): void {
  const { db, keyspace } = c;
  const { bytes, lengths, offsets } = c.args;
  const { storeAt } = request;
  const count = wanted();
  c.reply.integer(count);
  if (count === 0) {
    c.storeNothing(storeAt);
    return;
  }
  result.start(keyspace, 0);
  const owner = result.from(view);
  for (let i = 0; i < count; i++) {
    const score = request.storesDistance ? search.distanceAt(i) : search.scoreAt(i);
    result.push(owner, search.refAt(i), score);
  }
  result.sort();
  const existing = c.lookupWrite(storeAt);
  result.store(db, bytes[storeAt]!, offsets[storeAt]!, lengths[storeAt]!, existing);
  result.end();
  if (existing === 0) c.notify(storeAt, NOTIFY_NEW, 'new');
  c.changed(storeAt, NOTIFY_ZSET, isSearch ? 'geosearchstore' : 'georadiusstore');
  keyspace.dirty += count - 1;
}

/** The notation of a unit. */
export const unitSyntax = 'unit=(M|KM|FT|MI)';
/** The notation of what each hit's reply may have, of COUNT, and of the order. */
export const withSyntax = '[WITHCOORD] [WITHDIST] [WITHHASH]';
export const orderSyntax = '[order=(ASC|DESC)]';

const shapeSyntax =
  'from=(FROMMEMBER member|FROMLONLAT fromlonlat={longitude:double latitude:double}) ' +
  `by=(circle={BYRADIUS radius:double ${unitSyntax}}|` +
  `box={BYBOX width:double height:double ${unitSyntax}}) ` +
  `${orderSyntax} [count-block={COUNT count:integer [ANY]}]`;

const complexity =
  'O(N+log(M)) where N is the number of elements in the grid-aligned bounding box area around ' +
  'the shape provided as the filter and M is the number of items inside the shape';

export const geoSearchCommands = [
  command(
    'geosearch',
    'geo',
    {
      arity: -7,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      acl: ['geo'],
      since: '6.2.0',
      complexity,
      summary: 'Returns the members of a geospatial index within a circle or a box.',
      syntax: `key:key ${shapeSyntax} ${withSyntax}`,
      history: [['7.0.0', 'Units in upper case.']],
    },
    geosearchCommand,
  ),
  command(
    'geosearchstore',
    'geo',
    {
      arity: -8,
      flags: WRITE | DENYOOM,
      keys: [keyAt(1, 'OW', 'update'), keyAt(2, 'RO', 'access')],
      acl: ['geo'],
      since: '6.2.0',
      complexity,
      summary: 'Stores the members of a geospatial index within a circle or a box.',
      syntax: `destination:key source:key ${shapeSyntax} [STOREDIST]`,
      history: [['7.0.0', 'Units in upper case.']],
    },
    geosearchstoreCommand,
  ),
];
