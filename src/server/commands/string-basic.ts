/**
 * PING.
 */
import { command, FAST } from '../command.ts';

export const stringBasicCommands = [
  command(
    'ping',
    'connection',
    { arity: -1, flags: FAST, since: '1.0.0', complexity: 'O(1)', summary: 'Answers.', syntax: '' },
    (c) => c.reply.simple('PONG'),
  ),
];
