/**
 * What is started is packed: five hundred modules become five programs and what they share, in `dist/run`.
 * Node finds, reads and links each module on its own, which took two thirds of a start.
 *
 * Each child has its own copy of what it needs of the server. What one file imports from another V8
 * reads anew at each use, through a cell that it never takes for constant, be it a number or a
 * function; and it is the arena, the dict and the listpack that the two would share. Measured: a
 * command of the server takes a tenth less user time.
 */
const external = ['commander', 'lz4', 'pino', /^node:/];
const output = { dir: 'dist/run', chunkFileNames: 'shared-[name].js' };
/**
 * Timers and the steady clock are those that the process had when the library was loaded. A test
 * puts fake ones in their place (`vi.useFakeTimers()`) to stop its own program, and the server in
 * the same process would stand still with it, and answer nobody. `Date` stays the test's: by it keys
 * fall due, so a test can let a day pass.
 */
const timers = 'setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, queueMicrotask';
const intro = `const { ${timers}, performance } = globalThis;`;
/** The door to the disk, one file for all, where tests end a process at one of its calls. */
const disk = 'dist/persistence/file-system.js';

export default [
  {
    input: [
      'dist/server/index.js',
      'dist/server/cli/main-cairn.js',
      'dist/server/cli/main-server.js',
      disk,
    ],
    external,
    output: { ...output, intro },
  },
  // Children are found by their names beside what starts them.
  { input: ['dist/persistence/snapshot/snapshot-child.js', disk], external, output },
  { input: 'dist/server/commands/migrate-child.js', external, output },
];
