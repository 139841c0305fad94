import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { openControlGroups, type ControlGroups } from './groups.ts';

const PID = 4_000_001; // above every pid of Linux: a folder of another one looks left behind
const LIMITS = { memoryBytes: 1_000_000, processes: 32 };

let mount: string;
let commands: (readonly string[])[];

beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), 'dpu-groups-'));
  commands = [];
});
afterEach(() => rmSync(mount, { recursive: true, force: true }));

const text = (path: string): string => readFileSync(join(mount, path), 'utf8');

/** A part of a version 2 tree as the kernel shows it. Folders that are made in it stay without files, so limits are refused. */
function unified(base: string, controllers = 'cpu memory pids'): void {
  mkdirSync(join(mount, base), { recursive: true });
  for (const [file, content] of Object.entries({
    'cgroup.controllers': `${controllers}\n`,
    'cgroup.procs': '',
    'cgroup.subtree_control': '',
  }))
    writeFileSync(join(mount, base, file), content);
}

const open = (own: string): ControlGroups =>
  openControlGroups({
    mount,
    own,
    pid: PID,
    run: (command) => {
      commands.push(command);
      return '';
    },
  });

test('version 2: the node moves into a group of its own and asks for both controllers', () => {
  unified('system.slice/dpu-node.service');
  // Only a kernel makes the files of a group, so it ends at the first limit, having taken back the group.
  expect(() => open('0::/system.slice/dpu-node.service\n')).toThrow('the kernel does not take memory.max 67108864');
  const base = 'system.slice/dpu-node.service';
  expect(text(`${base}/cgroup.subtree_control`)).toBe('+memory +pids');
  expect(text(`${base}/dpu-${PID}/cgroup.procs`)).toBe(String(PID));
  expect(existsSync(join(mount, base, `dpu-${PID}-0`))).toBe(false);
});

test('version 2: without a controller there are no groups, and nothing is moved', () => {
  unified('user.slice', 'cpu pids');
  expect(() => open('0::/user.slice\n')).toThrow(`the controller memory is not given to ${join(mount, 'user.slice')}`);
  expect(readdirSync(join(mount, 'user.slice'))).toEqual([
    'cgroup.controllers',
    'cgroup.procs',
    'cgroup.subtree_control',
  ]);
});

test('version 2: a group that others live in is left as it was', () => {
  unified('shared');
  rmSync(join(mount, 'shared/cgroup.subtree_control'));
  // The kernel refuses with EBUSY; a folder in the file's place refuses too.
  mkdirSync(join(mount, 'shared/cgroup.subtree_control'));
  expect(() => open('0::/shared\n')).toThrow(/^.*shared is not this node's alone: EISDIR/u);
  expect(text('shared/cgroup.procs')).toBe(String(PID));
});

test('a kernel without control groups says so', () => {
  expect(() => open('1:name=systemd:/\n')).toThrow('this kernel has no control groups of memory and processes');
});

test('what a node left that is gone is given back', () => {
  unified('service');
  for (const name of ['dpu-4000002-7', 'dpu-4000002', `dpu-${process.pid}-3`, 'other-1'])
    mkdirSync(join(mount, 'service', name));
  expect(() => open('0::/service\n')).toThrow('memory.max');
  const left = readdirSync(join(mount, 'service')).filter((name) => !name.startsWith('cgroup.'));
  expect(left).toEqual([`dpu-${process.pid}-3`, `dpu-${PID}`, 'other-1'].sort());
});

const real = ((): ControlGroups | string => {
  try {
    return openControlGroups();
  } catch (error) {
    return (error as Error).message;
  }
})();
if (typeof real === 'string') console.warn(`Control groups are not tested on this machine: ${real}.`);

test.skipIf(typeof real === 'string')('a group bounds what joins it, and is gone afterwards', () => {
  const group = (real as ControlGroups).make(LIMITS);
  const folders = group.enter.filter((word) => word.endsWith('/cgroup.procs')).map((path) => join(path, '..'));
  expect(folders.every((folder) => existsSync(folder))).toBe(true);
  expect(folders.map((folder) => readdirSync(folder).includes('pids.max'))).toContain(true);
  expect(group.outOfMemory()).toBe(false);
  group.remove();
  expect(folders.some((folder) => existsSync(folder))).toBe(false);
  group.remove();
});
