// Proves that a failing test fails the build: one forge test and one vitest test that must fail are run, and must exit non-zero.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './native.mjs';

const solidity = join(root, 'test/contracts/Canary.t.sol');
const typescript = join(root, 'script/test/canary.test.ts');
const runs = [
  {
    name: 'forge',
    file: solidity,
    text: [
      '// SPDX-License-Identifier: MIT',
      'pragma solidity ^0.8.30;',
      '',
      'import {Test} from "forge-std/Test.sol";',
      '',
      'contract CanaryTest is Test {',
      '    function test_FailsOnPurpose() external pure {',
      '        assertEq(uint256(1), uint256(2), "the canary");',
      '    }',
      '}',
      '',
    ].join('\n'),
    command: [process.execPath, ['script/forge.mjs', 'test', '--match-contract', '^CanaryTest$']],
    says: 'the canary',
  },
  {
    name: 'vitest',
    file: typescript,
    text: "import { expect, test } from 'vitest';\n\ntest('fails on purpose', () => expect('the canary').toBe('dead'));\n",
    command: [join(root, 'node_modules/.bin/vitest'), ['run', '--project', 'unit', 'script/test/canary.test.ts']],
    says: 'the canary',
  },
];

let broken = false;
for (const { name, file, text, command, says } of runs) {
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  try {
    const { status, stdout, stderr } = spawnSync(command[0], command[1], { cwd: root, encoding: 'utf8' });
    const output = `${stdout}${stderr}`;
    // It must fail for its own reason: a runner that cannot start would also exit non-zero.
    const good = status !== 0 && output.includes(says);
    console.log(`${good ? 'ok    ' : 'FAILED'} ${name}: a failing test exits with ${status}`);
    if (!good) console.error(output);
    broken ||= !good;
  } finally {
    rmSync(file, { force: true });
  }
}
process.exit(broken ? 1 : 0);
