/**
 * What is started is packed: 430 modules become four programs and what they share, in `dist/run`.
 * Node finds, reads and links each module on its own, which took two thirds of a start.
 */
export default {
  input: [
    'dist/server/index.js',
    'dist/server/cli/main-cairn.js',
    'dist/server/cli/main-server.js',
    // Found by its name beside what starts it.
    'dist/persistence/snapshot-child.js',
    // The door to the disk, where tests end a process at one of its calls.
    'dist/persistence/file-system.js',
  ],
  external: ['commander', 'lz4', 'pino', /^node:/],
  output: { dir: 'dist/run', chunkFileNames: 'shared-[name].js' },
};
