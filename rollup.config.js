/**
 * What is started is packed: 430 modules become five programs and what they share, in `dist/run`.
 * Node finds, reads and links each module on its own, which took two thirds of a start.
 */
export default {
  input: [
    'dist/server/index.js',
    'dist/server/cli/main-cairn.js',
    'dist/server/cli/main-server.js',
    // Found by their names beside what starts them.
    'dist/persistence/snapshot-child.js',
    'dist/server/commands/migrate-child.js',
    // The door to the disk, where tests end a process at one of its calls.
    'dist/persistence/file-system.js',
  ],
  external: ['commander', 'lz4', 'pino', /^node:/],
  output: { dir: 'dist/run', chunkFileNames: 'shared-[name].js' },
};
