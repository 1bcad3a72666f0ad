/** Commands on keys of any type and on databases over a socket: replies, errors and their order. */
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/generic.txt', import.meta.url));
