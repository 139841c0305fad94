/**
 * `npm run backup:index -- <file>` writes the database of `DATABASE_URL` to a file, `npm run restore:index -- <file>` fills an empty one from it. The index can be
 * rebuilt from the chain without either; a backup saves the hours, and keeps what is not on the chain. After a restore run `verify:index`.
 */
import { parseArgs } from 'node:util';
import { ConfigError, text } from '../src/env.ts';
import { backUp, restore } from './backup.ts';

const { values, positionals } = parseArgs({ options: { restore: { type: 'boolean' } }, allowPositionals: true });
const [file] = positionals;
const url = text('DATABASE_URL', '');
if (!url)
  throw new ConfigError(
    'DATABASE_URL is not set; PGlite is backed up by copying its folder while the indexer is stopped',
  );
if (!file) throw new ConfigError('name the file of the backup');
await (values.restore ? restore : backUp)(url, file);
console.log(values.restore ? `restored from ${file}` : `written to ${file}`);
