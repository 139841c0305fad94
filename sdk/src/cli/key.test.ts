import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { importIdentity } from '../privacy/recovery.ts';
import { dpuProgram } from './program.ts';

let home: string;
let printed: string[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dpu-cli-'));
  printed = [];
});
afterEach(() => rmSync(home, { recursive: true }));

/** Runs a command line as a person would type it. */
async function dpu(line: string[], env: Record<string, string> = {}): Promise<string> {
  printed = [];
  const signal = new AbortController().signal;
  const program = dpuProgram({ print: (text) => printed.push(text), env, home, signal, workLog2: 4 });
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
  }
  await program.parseAsync(['node', 'dpu', ...line]);
  return printed.join('\n');
}

describe('a person’s own key', () => {
  test('is made once, for its owner’s eyes only, and shown by its public half', async () => {
    const recipient = await dpu(['key', 'new']);
    const file = join(home, '.dpu', 'own.key');
    expect(recipient).toMatch(/^age1[0-9a-z]{58}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toMatch(/^# public key: age1.*\nAGE-SECRET-KEY-1[0-9A-Z]{58}\n$/);
    expect(await dpu(['key', 'show'])).toBe(recipient);
    await expect(dpu(['key', 'new'])).rejects.toThrow('keys are never overwritten');
    expect(await dpu(['key', 'show'])).toBe(recipient);
  });

  test('is exported with a new passphrase, and recovered elsewhere with it', async () => {
    const recipient = await dpu(['key', 'new']);
    const file = join(home, 'recovery.age');
    const [, passphrase = ''] =
      /keep it elsewhere than the file: (\S+)$/.exec(await dpu(['key', 'export', file])) ?? [];
    expect(passphrase).toMatch(/^([a-z2-9]{4}-){4}[a-z2-9]{4}$/);
    expect((await importIdentity(readFileSync(file, 'utf8'), passphrase)).recipient).toBe(recipient);
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const other = ['--key', join(home, 'elsewhere', 'mine.key')];
    const env = { DPU_PASSPHRASE: passphrase };
    await expect(dpu(['key', 'recover', file, ...other])).rejects.toThrow('Set DPU_PASSPHRASE');
    expect(await dpu(['key', 'recover', file, ...other], env)).toBe(recipient);
    expect(await dpu(['key', 'show', ...other])).toBe(recipient);
    await expect(dpu(['key', 'recover', file], env), 'a key that is there').rejects.toThrow('never overwritten');
    await expect(
      dpu(['key', 'recover', file, '--key', join(home, 'x')], { DPU_PASSPHRASE: 'another one, long enough' }),
    ).rejects.toMatchObject({ code: 'wrong-passphrase' });
  });

  test('is refused where others can read it, and where it is no key', async () => {
    await expect(dpu(['key', 'show'])).rejects.toThrow('Make one: dpu key new');
    await dpu(['key', 'new']);
    const file = join(home, '.dpu', 'own.key');
    chmodSync(file, 0o640);
    await expect(dpu(['key', 'show'])).rejects.toThrow(`Run: chmod 600 ${file}`);
    writeFileSync(join(home, 'two'), 'a\nb\n', { mode: 0o600 });
    await expect(dpu(['key', 'show', '--key', join(home, 'two')])).rejects.toThrow('holds 2 keys instead of one');
  });
});

test.each([
  [['post', 'render', '--nodes', '1'], 'add --private'],
  [['post', 'render', '--private'], 'Make one: dpu key new'],
  [['post', 'render'], 'Say which network'],
  [['result', '0x12', '--out', 'x', '--network', 'nowhere'], 'cannot be read'],
  [['allow', `0x${'1'.repeat(64)}`, '--nodes', '0'], 'ids of nodes'],
])('%j is refused with what to do', async (line, sentence) => {
  await expect(dpu(line)).rejects.toThrow(sentence);
});
