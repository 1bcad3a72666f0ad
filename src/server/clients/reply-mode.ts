/** CLIENT REPLY OFF and SKIP: the commands of such a client run, their replies do not go out. */
import { type Client, REPLY_ON, REPLY_SKIP, REPLY_SKIP_NEXT } from './client.ts';

/**
 * Takes back what a command wrote since `silentFrom`, pushes aside, if its client wants no reply.
 * For a command that waited it is called when that has been answered.
 */
export function silence(client: Client): void {
  const { replyMode } = client;
  // One whose own command closed it has nothing left that could be taken back.
  if (replyMode === REPLY_ON || client.closed) return;
  if (replyMode === REPLY_SKIP_NEXT) {
    client.replyMode = REPLY_SKIP;
    client.silentFrom = client.reply.total;
  } else client.reply.rewind(client.silentFrom);
  if (replyMode === REPLY_SKIP) client.replyMode = REPLY_ON;
}
