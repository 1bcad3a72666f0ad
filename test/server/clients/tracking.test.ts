/**
 * Client-side caching where a command was refused, compared with the real server: what CLIENT
 * CACHING said was of that command, and not of the next.
 */
import { describe } from 'vitest';
import { requireRedisServer } from '../../support/real-server.ts';
import { sideBySide } from '../../support/side-by-side.ts';

describe.skipIf(requireRedisServer() === null)('what CLIENT CACHING said', () => {
  const { same } = sideBySide();

  same(
    'is over with a command that is refused, unless it is another CLIENT',
    `
    a3> CLIENT TRACKING ON OPTOUT
    b> SET k 1
    a3> CLIENT CACHING NO
    a3> GET
    a3> GET k
    b> SET k 2
    a3<<
    a3> CLIENT CACHING NO
    a3> CLIENT NOSUCH
    a3> GET k
    b> SET k 3
    a3<<
    a3> CLIENT CACHING NO
    a3> CLIENT INFO x
    a3> GET k
    b> SET k 4
    a3> CLIENT CACHING NO
    a3> MULTI
    a3> GET
    a3> EXEC
    a3> GET k
    b> SET k 5
    a3<<
  `,
  );

  same(
    'lets nobody in who was refused first',
    `
    a3> CLIENT TRACKING ON OPTIN
    b> SET k 1
    a3> CLIENT CACHING YES
    a3> NOSUCH
    a3> GET k
    b> SET k 2
    a3> PING
  `,
  );
});
