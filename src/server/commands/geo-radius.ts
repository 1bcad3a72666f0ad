/**
 * GEORADIUS and GEORADIUSBYMEMBER, and their variants that only read: the search of geo-search.ts
 * with its centre and radius in fixed places. GEOSEARCH has taken their place.
 */
import {
  type CommandTraits,
  command,
  DENYOOM,
  type KeyArgs,
  type KeySpec,
  keyAt,
  MOVABLE_KEYS,
  READONLY,
  WRITE,
} from '../dispatch/command.ts';
import type { Context } from '../dispatch/context.ts';
import {
  FROM_MEMBER,
  FROM_POSITION,
  geoSearch,
  MAY_STORE,
  orderSyntax,
  unitSyntax,
  withSyntax,
} from './geo-search.ts';

function georadiusCommand(c: Context): void {
  geoSearch(c, 1, FROM_POSITION | MAY_STORE);
}

function georadiusRoCommand(c: Context): void {
  geoSearch(c, 1, FROM_POSITION);
}

function georadiusbymemberCommand(c: Context): void {
  geoSearch(c, 1, FROM_MEMBER | MAY_STORE);
}

function georadiusbymemberRoCommand(c: Context): void {
  geoSearch(c, 1, FROM_MEMBER);
}

/** The destination behind a word, from argument `from` on. */
function storeSpec(keyword: string, from: number): KeySpec {
  return {
    begin: { kind: 'keyword', keyword, from },
    range: { kind: 'range', last: 0, step: 1, limit: 0 },
    flags: ['OW', 'update'],
  };
}

/** The key, and the destination that the last STORE or STOREDIST from argument `from` on names. */
function keysFromOn(from: number): (args: KeyArgs) => number[] {
  return (args) => {
    let storeAt = 0;
    for (let i = from; i < args.count - 1; i++) {
      if (args.is(i, 'store') || args.is(i, 'storedist')) storeAt = ++i;
    }
    return storeAt === 0 ? [1] : [1, storeAt];
  };
}

const fromPosition = `key:key longitude:double latitude:double radius:double ${unitSyntax}`;
const fromMember = `key:key member radius:double ${unitSyntax}`;
const count = '[count-block={COUNT count:integer [ANY]}]';
const countSince = '[count-block={COUNT count:integer [ANY@6.2.0]}]';
const stores = '[store=(STORE storekey~key:key|STOREDIST storedistkey~key:key)]';
const anySince = ['6.2.0', 'Added the `ANY` option for `COUNT`.'] as const;
const unitSince = ['7.0.0', 'Units in upper case.'] as const;

const shared: Pick<CommandTraits, 'acl' | 'complexity'> = {
  acl: ['geo'],
  complexity:
    'O(N+log(M)) where N is the number of elements inside the bounding box of the circular area ' +
    'delimited by center and radius and M is the number of items inside the index.',
};

function replaced(by: string): { since: string; replacedBy: string } {
  return { since: '6.2.0', replacedBy: by };
}

export const geoRadiusCommands = [
  command(
    'georadius',
    'geo',
    {
      ...shared,
      arity: -6,
      flags: WRITE | DENYOOM | MOVABLE_KEYS,
      keys: [keyAt(1, 'RO', 'access'), storeSpec('STORE', 6), storeSpec('STOREDIST', 6)],
      keysOf: keysFromOn(5),
      since: '3.2.0',
      summary: 'Returns, or stores, the members of a geospatial index around a position.',
      syntax: `${fromPosition} ${withSyntax} ${countSince} ${orderSyntax} ${stores}`,
      history: [anySince, unitSince],
      deprecated: replaced('`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument'),
    },
    georadiusCommand,
  ),
  command(
    'georadius_ro',
    'geo',
    {
      ...shared,
      arity: -6,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      since: '3.2.10',
      summary: 'Returns the members of a geospatial index around a position.',
      syntax: `${fromPosition} ${withSyntax} ${countSince} ${orderSyntax}`,
      history: [anySince, unitSince],
      deprecated: replaced('`GEOSEARCH` with the `BYRADIUS` argument'),
    },
    georadiusRoCommand,
  ),
  command(
    'georadiusbymember',
    'geo',
    {
      ...shared,
      arity: -5,
      flags: WRITE | DENYOOM | MOVABLE_KEYS,
      keys: [keyAt(1, 'RO', 'access'), storeSpec('STORE', 5), storeSpec('STOREDIST', 5)],
      keysOf: keysFromOn(5),
      since: '3.2.0',
      summary: 'Returns, or stores, the members of a geospatial index around one of them.',
      syntax: `${fromMember} ${withSyntax} ${count} ${orderSyntax} ${stores}`,
      history: [anySince, unitSince],
      deprecated: replaced(
        '`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments',
      ),
    },
    georadiusbymemberCommand,
  ),
  command(
    'georadiusbymember_ro',
    'geo',
    {
      ...shared,
      arity: -5,
      flags: READONLY,
      keys: [keyAt(1, 'RO', 'access')],
      since: '3.2.10',
      summary: 'Returns the members of a geospatial index around one of them.',
      syntax: `${fromMember} ${withSyntax} ${count} ${orderSyntax}`,
      history: [anySince, unitSince],
      deprecated: replaced('`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments'),
    },
    georadiusbymemberRoCommand,
  ),
];
