import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

// Ponder's loader takes the prefix off built-in modules' names, and `sqlite` without it is none.
const sqlite = process.getBuiltinModule('node:sqlite');

/** Opens a file of what was heard, and makes it where there is none. @param file A path, or `:memory:`. @param tables SQL that makes its tables. */
export function openFile(file: string, tables: string): DatabaseSync {
  if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
  const database = new sqlite.DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA user_version = 1; ${tables}`);
  return database;
}
