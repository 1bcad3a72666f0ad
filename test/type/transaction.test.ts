/** Transactions over a socket: queueing, watching, errors, databases, expiry, memory. */
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/transaction.txt', import.meta.url), {
  'enable-debug-command': 'yes',
});
