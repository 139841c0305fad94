// Writes test/vectors/credits.json: inputs on which the sdk's arithmetic of credits and the contract's must agree to the last digit.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { creditVectors } from '../sim/creditVectors.ts';

writeFileSync(join(import.meta.dirname, 'credits.json'), `${JSON.stringify(creditVectors(), null, 2)}\n`);
