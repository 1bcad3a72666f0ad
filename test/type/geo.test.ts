/** The geo commands over a socket: replies and their types, effects, and the keys they name. */
import { describe, it } from 'vitest';
import { expectEffects, linesOf } from '../support/effects.ts';
import { requireRedisServer } from '../support/real-server.ts';
import { refusals, sideBySide } from '../support/side-by-side.ts';
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/geo.txt', import.meta.url));

const lines = linesOf(`
  GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
  GEOADD g 13.361389 38.115556 Palermo
  GEOADD g nx CH 13.5 38 Palermo 2.35 48.85 Paris
  GEOADD g XX ch 13.5 38 Palermo 0 0 nobody
  GEOADD g XX 13.5 38 Palermo
  GEOADD none XX 1 1 x
  GEOADD edge 180 85.05112878 corner 179.99999999 -85.05112878 other
  GEOADD g 200 0 x
  GEOADD g 1 1 x 2
  GEOSEARCHSTORE dst g FROMLONLAT 15 37 BYBOX 400 400 km ASC COUNT 3
  GEOSEARCHSTORE dst g FROMMEMBER Catania BYRADIUS 0 m
  GEOSEARCHSTORE dst g FROMLONLAT -100 0 BYRADIUS 1 m
  GEOSEARCHSTORE dst g FROMLONLAT -100 0 BYRADIUS 1 m
  GEOSEARCHSTORE dst none FROMMEMBER x BYRADIUS 1 m
  GEOSEARCHSTORE dst g FROMLONLAT 15 37 BYRADIUS 0.5 km STOREDIST
  GEOSEARCHSTORE g g FROMLONLAT 15 37 BYRADIUS 400 km
  GEORADIUS g 15 37 400 km STORE dst
  GEORADIUS g 15 37 400 km STORE dst STOREDIST dst2
  GEORADIUSBYMEMBER g Catania 0 km STORE other STORE dst
  GEORADIUSBYMEMBER g Catania 500 km
  GEORADIUS none 15 37 400 km STORE dst
  GEORADIUS none 15 37 400 km STORE dst
  SET text x
  GEOSEARCHSTORE text g FROMLONLAT 15 37 BYRADIUS 400 km
  SET text x
  GEOADD text 1 1 x
  GEOSEARCH text FROMMEMBER x BYRADIUS 1 m
  GEOSEARCH none FROMMEMBER x BYRADIUS 1 m
  GEODIST none a b
  GEOPOS none a
  GEOHASH none a
  EXPIRE dst2 1000
  GEOSEARCHSTORE dst2 g FROMLONLAT 15 37 BYRADIUS 400 km
  TTL dst2
  MULTI
  GEOADD h 1 1 x
  GEOADD h 2 2 y
  EXEC
`);

describe('effects of the geo commands', () => {
  it.skipIf(requireRedisServer() === null)('are those of a real server', async () => {
    await expectEffects(lines, { propagated: 12, events: 15 });
  });
});

describe.skipIf(requireRedisServer() === null)('geo commands beside a real server', () => {
  const { same } = sideBySide();

  same(
    'the keys of a command',
    `
      a> COMMAND GETKEYS GEORADIUS k 1 1 1 km
      a> COMMAND GETKEYS GEORADIUS k 1 1 1 km STORE a
      a> COMMAND GETKEYS GEORADIUS k 1 1 1 km STORE a STOREDIST b
      a> COMMAND GETKEYS GEORADIUS k 1 1 1 km STOREDIST b STORE a
      a> COMMAND GETKEYS GEORADIUS k 1 1 1 km COUNT 1 ASC storedist a
      a> COMMAND GETKEYS GEORADIUS k 1 1 1 km STORE
      a> COMMAND GETKEYS GEORADIUS k 1 1 1 STORE a b
      a> COMMAND GETKEYS GEORADIUSBYMEMBER k m 1 km STORE a
      a> COMMAND GETKEYS GEORADIUSBYMEMBER k m 1 km STORE STORE a
      a> COMMAND GETKEYS GEORADIUS_RO k 1 1 1 km STORE a
      a> COMMAND GETKEYS GEOSEARCHSTORE d s FROMMEMBER m BYRADIUS 1 km
      a> COMMAND GETKEYSANDFLAGS GEORADIUS k 1 1 1 km STORE a
      a> COMMAND GETKEYSANDFLAGS GEORADIUSBYMEMBER k m 1 km STOREDIST a
      a> COMMAND GETKEYSANDFLAGS GEOSEARCHSTORE d s FROMMEMBER m BYRADIUS 1 km
      a> COMMAND GETKEYSANDFLAGS GEOADD k 1 1 m
    `,
  );

  same(
    'what rules let users store',
    `
      a> GEOADD g 1 1 m
      a> ACL SETUSER some on nopass +@geo ~g %W~out
      some> AUTH some x
      some> GEORADIUS g 1 1 1 km
      some> GEORADIUS g 1 1 1 km STORE out
      some> GEORADIUS g 1 1 1 km STORE other
      some> GEOSEARCHSTORE out g FROMMEMBER m BYRADIUS 1 km
      some> GEOSEARCHSTORE other g FROMMEMBER m BYRADIUS 1 km
      some> GEOSEARCH out FROMMEMBER m BYRADIUS 1 km
      some> GEOADD out 1 1 n
      some> GET g
    `,
    refusals,
  );
});
