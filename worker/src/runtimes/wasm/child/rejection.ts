/** The module is not one this ABI runs. A fact about the module, so the same on every node. */
export class ModuleRejected extends Error {
  constructor(what: string, offset?: number) {
    super(offset === undefined ? what : `${what} (at byte ${offset})`);
    this.name = 'ModuleRejected';
  }
}
