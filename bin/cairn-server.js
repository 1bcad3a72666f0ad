#!/bin/sh
':' /*
heap="glibc.malloc.mmap_threshold=4194304:glibc.malloc.trim_threshold=1048576"
tunables="${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1:$heap}"
inline="--max-inlined-bytecode-size=1000 --max-inlined-bytecode-size-cumulative=3000"
young="--max-semi-space-size=1 --no-parallel-scavenge"
old="--initial-old-space-size=64 --max-old-space-size=32768 --no-concurrent-array-buffer-sweeping"
keep="--no-flush-bytecode"
exec env GLIBC_TUNABLES="$tunables" node --v8-pool-size=1 $young $old $inline $keep "$0" "$@"
*/
/**
 * The `cairn-server` program, built from src/server/cli/main-server.ts.
 *
 * A shell reads the lines above and makes way for node, with the same PID; JavaScript sees a text
 * and a comment. It asks the C library
 *
 * - for huge pages, where there are any (glibc 2.35, Linux): with millions of keys most of a
 *   look-up is spent on finding out where a page is. Servers that fork to save must do without,
 *   since each write would copy two megabytes;
 * - to map each chunk of the arena on its own for ever, so that one that is given back is gone,
 *   wherever it lies. Otherwise it would come to take chunks from its heap, which only shrinks at
 *   its end. And to give back what the compiler worked in, of which each of its threads would
 *   keep up to 8 MiB.
 *
 * Commands leave hardly any garbage, so node's space for young objects may be small, and it is
 * cleared by the loop's own thread: that takes 0.1 ms, and otherwise it would wait for others that
 * help. Where more wants to run than there are cores, while a snapshot is written and clients load
 * the machine, those come late (measured: 8 ms a time on 2 busy cores, 0.1 ms without them).
 * And old objects may grow to 64 MB before they are first looked through. V8 would begin higher and
 * lower that while young ones die, until it takes the arena's growth for garbage (measured: four
 * collections instead of two while a dump is loaded that takes 140 MB). Higher, and garbage stays:
 * with V8's own 256 MB that of 60,000 connections took 200 MB. Nor does V8 say how many there may
 * be, but the machine's memory and maxmemory, which counts them: a collection that is no listpack
 * has an object of some 500 bytes, and V8's own limit, 2 or 4 GB, ended the server at 4 or 9
 * million hashes with one value of more than 64 bytes.
 *
 * And commands are made of many small functions, of which the compiler is to put together three
 * times as many as it would (measured: a command takes 0.85 of the user time). It works in one
 * thread beside the loop: four of them, as node has it, take the core from the loop where there are
 * but two (measured: 12 to 50 ms of a conversion of 20 to 75 were waits for a core, now none).
 *
 * What has run once stays ready to run. V8 would forget functions that a few collections of garbage
 * find unused, and what is seldom wanted would begin anew each time, in the loop (measured: 5 to 9
 * ms for the first turns of a save after 3 million keys were written, now 3 to 4; it takes 0.4 MB).
 *
 * A terminal that is closed ends no server, from its first moments on: the server itself is ready
 * for signals only when all its code and its configuration have been read.
 */
process.on('SIGHUP', () => undefined);
await import('../dist/run/main-server.js');
