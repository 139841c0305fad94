/** A key as this browser keeps it: a WebCrypto key that cannot be read out; its text only where the browser has no such keys. */
export interface KeptKey {
  /** Who it is, `age1…`. */
  recipient: string;
  key: CryptoKey | string;
  /** Milliseconds; the newest key is the one that new jobs are for. */
  keptAt: number;
}

/** Where keys are kept. */
export interface KeyStore {
  all(): Promise<KeptKey[]>;
  put(key: KeptKey): Promise<void>;
}

const NAME = 'dpu-keys';
const TABLE = 'keys';

/** The browser's own database, of this site alone. */
export function indexedKeys(): KeyStore {
  const open = async (): Promise<IDBDatabase> => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => void request.result.createObjectStore(TABLE, { keyPath: 'recipient' });
    return done(request);
  };
  async function use<T>(mode: IDBTransactionMode, work: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const database = await open();
    try {
      const transaction = database.transaction(TABLE, mode);
      const answer = await done(work(transaction.objectStore(TABLE)));
      if (mode === 'readwrite') await committed(transaction);
      return answer;
    } finally {
      database.close();
    }
  }
  return {
    all: () => use<KeptKey[]>('readonly', (table) => table.getAll()),
    async put(key) {
      await use('readwrite', (table) => table.put(key));
    },
  };
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The browser’s database gave no answer.'));
  });
}

/** A key that is not on the disk when this says so would be lost with the data it opens. */
function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('The browser did not keep the key.'));
  });
}
