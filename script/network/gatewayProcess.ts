/**
 * A storage gateway as a process of its own: `node gatewayProcess.ts <folder> <port> [deployment file]`. With a deployment it also listens to what the
 * nodes say, and serves it under `/v1/live`; the file may come later.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseDeployment } from '@dpu/sdk/deployment';
import { startGateway } from '@dpu/sdk/gateway/server';
import { openBridge, type Bridge } from '@dpu/sdk/gossip/bridge';
import { liveRoutes } from '@dpu/sdk/gossip/liveRoutes';

const [dir, port, deploymentFile] = process.argv.slice(2);
if (!dir || !port) {
  console.error('usage: gatewayProcess.ts <folder> <port> [deployment file]');
  process.exit(1);
}
let bridge: Bridge | undefined;
const routes = liveRoutes(() => bridge?.gossip);
const gateway = await startGateway({ dir, host: '127.0.0.1', port: Number(port), routes });
console.log(`gateway at ${gateway.url}`);
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stop.abort();
    void Promise.all([gateway.close(), bridge?.close()]).then(() => process.exit(0));
  });
}

while (deploymentFile !== undefined && !existsSync(deploymentFile) && !stop.signal.aborted) {
  await sleep(250, undefined, { signal: stop.signal }).catch(() => {});
}
if (deploymentFile !== undefined && !stop.signal.aborted) {
  bridge = await openBridge({
    deployment: parseDeployment(readFileSync(deploymentFile, 'utf8')),
    dir: join(dir, 'gossip'),
    listen: ['/ip4/127.0.0.1/tcp/0'],
  });
  console.log(`bridge of ${bridge.gossip.peer}`);
}
