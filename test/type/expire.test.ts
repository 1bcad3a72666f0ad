/**
 * Times to live over a socket: conditions, limits, moments that have passed, keys past their time.
 */
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/expire.txt', import.meta.url), {
  'enable-debug-command': 'yes',
});
