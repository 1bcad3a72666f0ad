/**
 * Up to which size collections keep their compact encodings. A collection that outgrows a limit is
 * converted and never converted back.
 *
 * A keyspace has one object of these, so that the type APIs find them wherever values come from: a
 * command, a file, a primary. The names are those of the directives; the values are the defaults of
 * Redis 7.2.
 */
export class EncodingLimits {
  hashMaxListpackEntries = 512;
  hashMaxListpackValue = 64;
  listMaxListpackSize = -2;
  listCompressDepth = 0;
  /**
   * Bytes from which an element of a list has a node of its own; no directive, DEBUG alone sets it.
   */
  listPackedThreshold = 1 << 30;
  setMaxIntsetEntries = 512;
  setMaxListpackEntries = 128;
  setMaxListpackValue = 64;
  zsetMaxListpackEntries = 128;
  zsetMaxListpackValue = 64;
  streamNodeMaxBytes = 4096;
  streamNodeMaxEntries = 100;
}
