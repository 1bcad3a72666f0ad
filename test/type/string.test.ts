/** The string commands over a socket: replies, errors and their order, encodings, expiries. */
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/string.txt', import.meta.url));
