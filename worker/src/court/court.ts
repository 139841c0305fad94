import type { Head } from '../chain/chain.ts';
import type { Appellant } from './appellant.ts';
import type { Checker } from './checker.ts';
import type { Clerk } from './clerk.ts';
import type { Juror } from './juror.ts';

/** What a node does for the court, each part by itself. */
export interface CourtDeps {
  juror: Juror;
  checker: Checker;
  clerk: Clerk;
  appellant: Appellant;
}

/** Everything that a node does for the court with every new head: push disputes on, serve on juries, appeal, and check others. */
export class Court {
  readonly #deps: CourtDeps;

  constructor(deps: CourtDeps) {
    this.#deps = deps;
  }

  /** Whether something is left that costs this node, or somebody who counts on it, a bond. */
  get busy(): boolean {
    const { juror, clerk } = this.#deps;
    return juror.running > 0 || clerk.duties > 0;
  }

  /** Works off a head. Duties that cost a bond come first. */
  async tick(head: Head): Promise<void> {
    const { juror, checker, clerk, appellant } = this.#deps;
    await juror.tick(head);
    await clerk.tick(head);
    await appellant.tick(head);
    await checker.tick(head);
  }

  /** Stops what runs; what was found is on disk. */
  async stop(): Promise<void> {
    const { juror, checker, appellant } = this.#deps;
    await Promise.all([juror.stop(), checker.stop(), appellant.stop()]);
  }
}
