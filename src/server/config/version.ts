/** The versions that the server shows: its own, and the Redis whose behaviour it keeps to. */

/** The version of this package; a test holds it equal to package.json's. */
export const CAIRN_VERSION = '0.1.0';

/** The Redis that clients may take this server for. */
export const REDIS_VERSION = '7.2.4';
