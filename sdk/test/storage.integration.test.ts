import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileBlockstore } from '../src/gateway/fileBlockstore.ts';
import { LocalBackend } from '../src/gateway/localBackend.ts';
import { PinSet } from '../src/gateway/pinSet.ts';
import { HttpBackend } from '../src/storage/httpBackend.ts';
import { KuboBackend } from '../src/storage/kuboBackend.ts';
import { describeBackend } from './backendConformance.ts';
import { spawnGateway, spawnKubo } from './spawn.ts';

describeBackend('a gateway in another process', async () => {
  const gateway = await spawnGateway();
  const backend = new HttpBackend({ getHolders: () => [gateway.url], writeTo: gateway.url });
  return { backend, stop: gateway.remove };
});

describeBackend('a disk in this process', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'dpu-local-'));
  const store = await FileBlockstore.open({ dir: join(dir, 'blocks') });
  const backend = new LocalBackend({ store, pins: await PinSet.open(join(dir, 'pins.json')) });
  return { backend, stop: () => rm(dir, { recursive: true }) };
});

describeBackend('a Kubo node (stand-in)', async () => {
  const kubo = await spawnKubo();
  return { backend: new KuboBackend({ url: kubo.url }), stop: kubo.remove };
});
