/** Takes the port that its argument names, or the next, reports it to its parent and holds it until it is ended. */
import { freePort } from '../network/ports.ts';

process.send!(await freePort(Number(process.argv[2])));
setInterval(() => undefined, 1_000_000);
