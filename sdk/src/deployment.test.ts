import { describe, expect, test } from 'vitest';
import { DeploymentError, parseDeployment } from './deployment.ts';

const file = {
  chainId: 31337,
  rpcUrl: 'http://127.0.0.1:8545/',
  market: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
  token: '0x5FbDB2315678afecb367f032d93F642f64180aa3',
  currencies: [{ address: '0x5fbdb2315678afecb367f032d93f642f64180aa3', symbol: 'DPU', decimals: 18 }],
  startBlock: 3,
  indexerUrl: 'http://127.0.0.1:24069',
  gatewayUrl: 'https://gateway.example/storage/',
};

describe('a deployment', () => {
  test('is read from text or value, with checksummed addresses and bare URLs', () => {
    const read = {
      ...file,
      rpcUrl: 'http://127.0.0.1:8545',
      market: '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512',
      currencies: [{ ...file.currencies[0], address: '0x5FbDB2315678afecb367f032d93F642f64180aa3' }],
      gatewayUrl: 'https://gateway.example/storage',
    };
    expect(parseDeployment(JSON.stringify(file))).toEqual(read);
    expect(parseDeployment({ ...file, deployedBy: 'dropped' })).toEqual(read);
  });

  test('may name a governor and a timelock', () => {
    const named = parseDeployment({
      ...file,
      governor: '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512',
      timelock: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
    });
    expect(named.governor).toBe('0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512');
    expect(named.timelock).toBe('0x5FbDB2315678afecb367f032d93F642f64180aa3');
    expect(() => parseDeployment({ ...file, governor: '0x12' })).toThrow('governor: must be the address of a contract');
  });

  test('may name credits and where they are traded', () => {
    const contract = '0xe7f1725e7734ce288f8367e1bb143e90bb3f0512';
    const checked = '0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512';
    const named = parseDeployment({ ...file, credits: contract, exchange: { router: contract, pair: contract } });
    expect(named.credits).toBe(checked);
    expect(named.exchange).toEqual({ router: checked, pair: checked });
    expect(() => parseDeployment({ ...file, exchange: { router: contract } })).toThrow('exchange.pair: is missing');
  });

  test('lists everything that is wrong', () => {
    const bad = { ...file, chainId: '1', rpcUrl: 'ftp://x', market: '0x12', startBlock: undefined, currencies: [{}] };
    expect(() => parseDeployment(bad)).toThrow(DeploymentError);
    expect(() => parseDeployment(bad)).toThrow(
      'The deployment file is not usable: chainId: must be a whole number; rpcUrl: must be an http(s) URL; market: must be the address of a contract; ' +
        'currencies[0].address: is missing; currencies[0].symbol: is missing; currencies[0].decimals: is missing; startBlock: is missing. Deploy again or correct the file.',
    );
    expect(() => parseDeployment('{')).toThrow('it is not JSON');
  });
});
