// Runs forge by its native binary: the npm wrapper exits 0 even when tests fail, so no script may call it.
import { spawnSync } from 'node:child_process';
import { nativeBinary, root } from './native.mjs';

const result = spawnSync(nativeBinary('forge'), process.argv.slice(2), { cwd: root, stdio: 'inherit' });
if (result.error) console.error(`forge could not be started: ${result.error.message}`);
process.exit(result.status ?? 1);
