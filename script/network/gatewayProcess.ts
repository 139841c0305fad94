/** A storage gateway as a process of its own: `node gatewayProcess.ts <folder> <port>`. */
import { startGateway } from '@dpu/sdk/gateway/server';

const [dir, port] = process.argv.slice(2);
if (!dir || !port) {
  console.error('usage: gatewayProcess.ts <folder> <port>');
  process.exit(1);
}
const gateway = await startGateway({ dir, host: '127.0.0.1', port: Number(port) });
console.log(`gateway at ${gateway.url}`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void gateway.close().then(() => process.exit(0)));
}
