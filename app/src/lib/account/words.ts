/** Words of the account page for what the indexer keeps. */
import { AccountError } from '@dpu/sdk/accountApi';
import type { MessageKind, NotificationKind, Scope } from '@dpu/sdk/apiAccount';

/** What each kind of notification tells. */
export const KIND_WORDS: Readonly<Record<NotificationKind, string>> = {
  'job.done': 'A job of yours has ended',
  'job.challenged': 'A result was challenged',
  'dispute.verdict': 'A jury has spoken',
  'node.unhealthy': 'Your node is silent, unwell or slashed, or well again',
  'lease.risk': 'Your node is about to lose a bond, or lost it',
  'proposal.live': 'A vote has begun',
};

/** A delivery's kind in a few words. */
export const messageWords = (kind: MessageKind): string => (kind === 'test' ? 'A test' : KIND_WORDS[kind]);

/** What a key with each scope can do. */
export const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  read: 'Read everything that is public, and your keys and their spending',
  quote: 'Ask for quotes',
  notify: 'Read channels and deliveries, send tests, send deliveries again',
  post: 'Bring orders on chain that your wallet has signed, within the caps',
};

/** What went wrong, as a sentence; undefined for what is no matter of accounts. */
export function explainAccount(error: unknown): { sentence: string; action?: string } | undefined {
  if (error instanceof AccountError) {
    const { message } = error;
    return { sentence: `${message[0]!.toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? '' : '.'}` };
  }
  if (error instanceof Error && (error.name === 'NotAllowedError' || error.name === 'AbortError')) {
    return { sentence: 'The passkey was not used.', action: 'It was cancelled, or it took too long. Try again.' };
  }
  if (error instanceof Error && error.name === 'InvalidStateError') {
    return { sentence: 'This device has a passkey for your account already.' };
  }
  if (error instanceof Error && error.name === 'SecurityError') {
    return { sentence: 'This page’s address cannot have passkeys.', action: 'Open it by a name instead of a number.' };
  }
  return undefined;
}
