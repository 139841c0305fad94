import { AccountError } from '@dpu/sdk/accountApi';
import { expect, test } from 'vitest';

import { passkeyPage } from './openDesk.ts';
import { explainAccount, messageWords } from './words.ts';

test.each([
  [new AccountError('you have no such key', { status: 404 }), 'You have no such key.'],
  [new AccountError('The indexer did not answer.', { status: 0 }), 'The indexer did not answer.'],
  [Object.assign(new Error('x'), { name: 'NotAllowedError' }), 'The passkey was not used.'],
  [Object.assign(new Error('x'), { name: 'InvalidStateError' }), 'This device has a passkey for your account already.'],
  [Object.assign(new Error('x'), { name: 'SecurityError' }), 'This page’s address cannot have passkeys.'],
])('%s is a sentence', (error, sentence) => expect(explainAccount(error)?.sentence).toBe(sentence));

test('what is no matter of accounts is left to others', () => expect(explainAccount(new Error('x'))).toBeUndefined());

test('a test is called one', () => expect(messageWords('test')).toBe('A test'));

test.each([
  ['dpu.example', undefined],
  ['localhost', undefined],
  ['127.0.0.1', 'http://localhost:24173/account'],
  ['10.0.0.1', ''],
  ['[::1]', ''],
])('at %s passkeys are made at %s', (hostname, page) =>
  expect(passkeyPage({ hostname, port: '24173', protocol: 'http:' })).toBe(page),
);
