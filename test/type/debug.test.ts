/** DEBUG and MEMORY over a socket: digests of a real server, switches, errors, sample replies. */
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/debug.txt', import.meta.url), {
  'enable-debug-command': 'yes',
});
