import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { OperatorError } from './errors.ts';
import { configSchema, readConfig, readSettings, variableOf } from './config.ts';

const TOKEN = '0x5FbDB2315678afecb367f032d93F642f64180aa3';
let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dpu-config-'));
  file = join(dir, 'dpu-node.yaml');
  const deployment = {
    chainId: 31_337,
    rpcUrl: 'http://127.0.0.1:8545/',
    market: '0x9fE46736679d2D9a65F0992F2272dE9f3c7fa6e0',
    token: TOKEN,
    currencies: [{ address: TOKEN, symbol: 'DPU', decimals: 18 }],
    startBlock: 3,
    indexerUrl: 'http://127.0.0.1:24069',
    gatewayUrl: 'http://127.0.0.1:24080',
  };
  writeFileSync(join(dir, 'deployment.json'), JSON.stringify(deployment));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('the environment beats the file, and flags beat both', () => {
  writeFileSync(file, 'slots: 1\npollMs: 100\nleaseSeconds: 10\n');
  const settings = readSettings({
    file,
    env: { WORKER_POLL_MS: '200', WORKER_LEASE_SECONDS: '20', WORKER_LOG_LEVEL: '' },
    flags: { leaseSeconds: '30', slots: undefined },
  });
  expect(settings).toMatchObject({ slots: 1, pollMs: 200, leaseSeconds: 30, logLevel: 'info' });
});

test('paths in the file are relative to the file', () => {
  writeFileSync(file, 'dataDir: data\n');
  expect(readSettings({ file, env: {} })).toMatchObject({
    dataDir: join(dir, 'data'),
  });
  expect(readSettings({ file, env: { WORKER_DATA_DIR: '/elsewhere' } }).dataDir).toBe('/elsewhere');
});

test('keys lie with the data, wherever that is, unless the file says where', () => {
  writeFileSync(file, 'nodeKeyFile: keys/node\n');
  const nodeKeyFile = join(dir, 'keys/node');
  expect(readSettings({ file, env: { WORKER_DATA_DIR: '/elsewhere' } })).toMatchObject({
    operatorKeyFile: '/elsewhere/operator.key',
    nodeKeyFile,
  });
  expect(readSettings({ file, env: {} })).toMatchObject({
    operatorKeyFile: join(dir, 'dpu-node-data/operator.key'),
    nodeKeyFile,
  });
});

test('what the deployment knows need not be said', () => {
  writeFileSync(file, 'deployment: deployment.json\n');
  expect(readConfig({ file, env: {} })).toMatchObject({
    rpcUrl: 'http://127.0.0.1:8545',
    gateways: ['http://127.0.0.1:24080'],
    asks: { [TOKEN.toLowerCase()]: 0n },
    tipGwei: 1_000_000_000n,
  });
});

test('endpoints are a list; one is a list of one, and both names at once are a mistake', () => {
  writeFileSync(file, 'deployment: deployment.json\n');
  expect(readConfig({ file, env: {} }).rpc).toEqual(['http://127.0.0.1:8545']);
  expect(readConfig({ file, env: { WORKER_RPC_URL: 'http://a.example' } }).rpc).toEqual(['http://a.example']);
  const several = readConfig({ file, env: { WORKER_RPC: 'http://a.example/, http://b.example' } });
  expect([several.rpc, several.rpcUrl]).toEqual([['http://a.example', 'http://b.example'], 'http://a.example']);
  const both = { WORKER_RPC: 'http://a.example', WORKER_RPC_URL: 'http://b.example' };
  expect(() => readConfig({ file, env: both })).toThrow(
    new OperatorError('Both rpc and rpcUrl are set. Keep rpc, which is the list of all endpoints.'),
  );
});

test('asks and lists can be said in one variable', () => {
  writeFileSync(file, 'deployment: deployment.json\n');
  const env = {
    WORKER_ASKS: `${TOKEN}=1000000000000000000, 0x${'11'.repeat(20)}=5`,
    WORKER_GATEWAYS: 'http://a.example/, http://b.example',
  };
  expect(readConfig({ file, env })).toMatchObject({
    asks: { [TOKEN.toLowerCase()]: 10n ** 18n, [`0x${'11'.repeat(20)}`]: 5n },
    gateways: ['http://a.example', 'http://b.example'],
  });
});

test('everything that is wrong is named at once', () => {
  writeFileSync(file, 'slots: 0\nisolation: none\ncolour: red\n');
  expect(() => readSettings({ file, env: {} })).toThrow(/slots: .*isolation: .*colour/s);
});

test('a password in a file or a flag is refused', () => {
  writeFileSync(file, 'keyPassword: secret\n');
  const sentence = 'The key’s password belongs in WORKER_KEY_PASSWORD, not in a file or on the command line.'.replace(
    '’',
    "'",
  );
  expect(() => readSettings({ file, env: {} })).toThrow(sentence);
  writeFileSync(file, '');
  expect(() => readSettings({ file, env: {}, flags: { keyPassword: 'x' } })).toThrow(sentence);
  expect(readSettings({ file, env: { WORKER_KEY_PASSWORD: 'x' } }).keyPassword).toBe('x');
});

test('a file that was named must be there; the usual one need not', () => {
  expect(() => readSettings({ file, env: {} })).toThrow(
    `There is no configuration file ${file}. Run dpu-node init, or correct --config.`,
  );
  expect(readSettings({ env: {} }).slots).toBeGreaterThan(0);
});

test('a broken file or deployment says so', () => {
  writeFileSync(file, '- a\n- b\n');
  expect(() => readSettings({ file, env: {} })).toThrow(/cannot be read: it is not a map of settings\.$/);
  writeFileSync(file, 'deployment: missing.json\n');
  expect(() => readConfig({ file, env: {} })).toThrow(/^The deployment file .*missing\.json cannot be used: ENOENT/);
});

test('every setting is in .env.example, and nothing else is', () => {
  const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
  const named = [...text.matchAll(/^#? ?(WORKER_[A-Z_]+)=/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual(['WORKER_CONFIG', ...Object.keys(configSchema.shape).map(variableOf)].sort());
});
