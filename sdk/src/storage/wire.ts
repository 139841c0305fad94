import * as errors from './errors.ts';
import type { StorageErrorCode } from './errors.ts';

/** The JSON body of every gateway error. `error` is the code, the other fields are facts about it. */
export interface ErrorBody {
  readonly error: StorageErrorCode;
  readonly message: string;
  readonly [fact: string]: unknown;
}

const STATUS: Record<StorageErrorCode, number> = {
  'invalid-cid': 400,
  'unsupported-cid': 400,
  'hash-mismatch': 400,
  'malformed-block': 400,
  'malformed-car': 400,
  'invalid-request': 400,
  'not-a-file': 400,
  'receipt-invalid': 400,
  unauthorized: 401,
  'not-found': 404,
  'corrupt-block': 404,
  'not-acceptable': 406,
  'missing-block': 409,
  gone: 410,
  'block-too-big': 413,
  'file-too-big': 413,
  'upload-too-big': 413,
  'unsupported-encoding': 415,
  'all-holders-failed': 502,
  'gateway-failed': 502,
  'wrong-cid': 502,
  'quota-exceeded': 507,
  'writer-quota': 507,
  internal: 500,
};

/** The HTTP status that goes with an error. */
export const statusOf = (code: StorageErrorCode): number => STATUS[code];

/** An error as a gateway sends it. Facts are those of the error's context; never a stack or a cause. */
export const errorBody = (error: errors.StorageError): ErrorBody => ({
  ...error.context,
  error: error.code,
  message: error.message,
});

/** Turns a gateway's failed answer back into the error it stands for. Reads at most a few KiB of a stranger's answer. */
export async function errorFromResponse(gateway: string, response: Response): Promise<errors.StorageError> {
  const body = parseBody(await readText(response));
  const known = body && fromBody(body);
  if (known) return known;
  if (response.status === 404 || response.status === 410) return new errors.NotFoundError('the content', [gateway]);
  return new errors.GatewayError(gateway, `it answered ${response.status}`);
}

const MAX_ERROR_BYTES = 16 * 1024;

async function readText(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (!reader) return '';
  const decoder = new TextDecoder();
  let text = '';
  try {
    while (text.length < MAX_ERROR_BYTES) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return '';
  }
  await reader.cancel().catch(() => {});
  return text;
}

function parseBody(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function fromBody(body: Record<string, unknown>): errors.StorageError | undefined {
  const text = (key: string): string => String(body[key] ?? 'unknown').slice(0, 200);
  const count = (key: string): number => Number(body[key] ?? Number.NaN);
  switch (body['error']) {
    case 'invalid-cid':
      return new errors.InvalidCidError(text('text'));
    case 'unsupported-cid':
      return new errors.UnsupportedCidError(text('cid'), text('why'));
    case 'hash-mismatch':
      return new errors.HashMismatchError(text('cid'));
    case 'malformed-block':
      return new errors.MalformedBlockError(text('why'));
    case 'malformed-car':
      return new errors.MalformedCarError(text('why'));
    case 'invalid-request':
      return new errors.InvalidRequestError(text('message'));
    case 'unauthorized':
      return new errors.UnauthorizedError(body['why'] === undefined ? undefined : text('why'));
    case 'writer-quota':
      return new errors.WriterQuotaError(text('by'), count('usedBytes'), count('quotaBytes'));
    case 'unsupported-encoding':
      return new errors.UnsupportedEncodingError(text('encoding'));
    case 'gone':
      return new errors.GoneError(text('cid'));
    case 'not-found':
      return new errors.NotFoundError(text('cid'));
    case 'corrupt-block':
      return new errors.CorruptBlockError(text('cid'));
    case 'missing-block':
      return new errors.MissingBlockError(text('root'), text('missing'));
    case 'block-too-big':
      return new errors.BlockTooBigError(count('size'), count('maxBytes'));
    case 'upload-too-big':
      return new errors.UploadTooBigError(count('maxBytes'));
    case 'quota-exceeded':
      return new errors.QuotaExceededError(count('usedBytes'), count('quotaBytes'));
    case 'not-acceptable':
      return new errors.NotAcceptableError();
    default:
      return undefined;
  }
}
