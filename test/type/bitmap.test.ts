/** The bitmap commands over a socket: replies, errors and their order. */
import { describeTranscript } from '../support/transcript.ts';

describeTranscript(new URL('./transcripts/bitmap.txt', import.meta.url));
