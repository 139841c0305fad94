/**
 * The OpenAPI 3.1 document, made from the routes' zod schemas by zod's own JSON Schema writer. Of a schema that turns text into a bigint the
 * document shows the text: that is what goes over the wire.
 */
import * as core from '@dpu/sdk/api';
import * as account from '@dpu/sdk/apiAccount';
import * as quote from '@dpu/sdk/apiQuote';
import * as tables from '@dpu/sdk/apiTables';
import { z } from 'zod';
import { PROBLEMS, type ProblemName } from './problem.ts';
import type { Route } from './route.ts';

type Json = Record<string, unknown>;

const JSON_TYPE = 'application/json';
const PROBLEM_TYPE = 'application/problem+json';

/** Refusals that every route can have, those with a body more. */
const ALWAYS: readonly ProblemName[] = ['too-many-requests', 'internal', 'overloaded', 'stale'];
const WITH_BODY: readonly ProblemName[] = ['too-large', 'unsupported-media-type'];

/** The names of schemas in the document: those of their exports, without "Schema" and with a capital. */
function namedSchemas(): Map<z.ZodType, string> {
  const named = new Map<z.ZodType, string>();
  for (const [name, value] of [core, quote, tables, account].flatMap((module) => Object.entries(module))) {
    if (!name.endsWith('Schema') || !(value instanceof z.ZodType)) continue;
    named.set(value, name[0]!.toUpperCase() + name.slice(1, -'Schema'.length));
  }
  return named;
}

/** Makes the document for these routes. It depends on nothing else, so it can be compared byte for byte. */
export function openApiOf(routes: readonly Route[]): Json {
  const named = namedSchemas();
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of named) registry.add(schema, { id });
  const uri = (id: string) => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri }) as { schemas: Record<string, Json> };
  const components = Object.fromEntries(
    Object.entries(schemas)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, schema]) => [id, tidy(schema)]),
  );
  const refer = (schema: z.ZodType): Json => {
    const id = named.get(schema);
    return id === undefined ? tidy(z.toJSONSchema(schema, { io: 'input' }) as Json) : { $ref: uri(id) };
  };

  const paths: Record<string, Json> = {};
  for (const { spec } of routes) {
    const path = `/v1${spec.path}`;
    paths[path] = { ...paths[path], [spec.method]: operationOf(spec, refer) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'DPU indexer',
      version: '1',
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Everything that the chain’s events tell, and what follows from it. Amounts are decimal strings in the smallest unit, addresses and ' +
        'hashes lower-case hex, times unix seconds. Nothing here need be trusted: every object names the transaction and block that it comes from. ' +
        '`docs/api.md` says more.',
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ spec }) => spec.tag))].map((name) => ({ name })),
    paths: { ...paths, ...LIVE },
    components: { schemas: components, securitySchemes: SECURITY },
  };
}

function operationOf(spec: Route['spec'], refer: (schema: z.ZodType) => Json): Json {
  const problems = [
    ...(spec.params || spec.query || spec.body ? (['invalid-request'] as const) : []),
    ...(spec.problems ?? []),
    ...(spec.body ? WITH_BODY : []),
    ...ALWAYS,
  ];
  const content = (schema: z.ZodType) => ({ [JSON_TYPE]: { schema: refer(schema) } });
  const byStatus = new Map<number, ProblemName[]>();
  for (const name of problems) byStatus.set(PROBLEMS[name][0], [...(byStatus.get(PROBLEMS[name][0]) ?? []), name]);
  const refusals = [...byStatus].map(([status, names]) => [
    String(status),
    {
      description: names.map((name) => `${PROBLEMS[name][1]} (\`urn:dpu:problem:${name}\`)`).join(' or '),
      content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
    },
  ]);
  const isRead = spec.method === 'get';
  return {
    operationId: operationId(spec),
    tags: [spec.tag],
    summary: spec.summary,
    ...(spec.description && { description: spec.description }),
    parameters: [...parametersOf(spec.params, 'path'), ...parametersOf(spec.query, 'query')],
    ...(spec.needs && { security: [{ session: [] }, ...(spec.needs === 'session' ? [] : [{ key: [] }])] }),
    ...(spec.body && { requestBody: { required: true, content: content(spec.body) } }),
    responses: {
      200: {
        description: 'The answer.',
        ...(isRead && { headers: { ETag: { schema: { type: 'string' }, description: 'Changes with the answer.' } } }),
        content: content(spec.answer),
      },
      ...(isRead && { 304: { description: 'Nothing changed since the answer with this `If-None-Match`.' } }),
      ...Object.fromEntries(refusals),
    },
  };
}

/** `getJobsById` for `GET /jobs/{id}`. */
function operationId({ method, path }: Route['spec']): string {
  const words = path.split(/[/-]/).filter(Boolean);
  const big = (word: string) => word[0]!.toUpperCase() + word.slice(1);
  return method + words.map((word) => (word.startsWith('{') ? `By${big(word.slice(1, -1))}` : big(word))).join('');
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' }) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, of]) => {
    const parameter = { name, in: place, required: required.includes(name), schema: tidy(of) };
    return name === 'limit' ? { ...parameter, description: 'Items of a page, 1 to 100.' } : parameter;
  });
}

/** Without what JSON Schema needs only outside of an OpenAPI document. */
function tidy(schema: Json): Json {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== '$schema' && name !== '$id'));
}

/** How callers say who they are. A page on the API's own origin may use a cookie instead of the session's token. */
const SECURITY: Json = {
  session: { type: 'http', scheme: 'bearer', description: 'The token of `POST /v1/account/session`.' },
  key: { type: 'http', scheme: 'bearer', description: 'An API key, `dpuk_…`; `docs/accounts.md` has the scopes.' },
};

/** The stream is no JSON answer, so no schema makes it. */
const LIVE: Record<string, Json> = {
  '/v1/live': {
    get: {
      operationId: 'getLive',
      tags: ['Activity'],
      summary: 'Server-sent events: what changes, as it is indexed',
      description:
        '`activity`: an event of the Market, as in `/v1/activity`. `block`: the newest block that changed rows, after its events. `reset`: events ' +
        'were missed or taken back, read again what is shown. Comments keep the connection open. `Last-Event-ID` goes on where a stream broke off.',
      parameters: [
        { name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' } },
        {
          name: 'job',
          in: 'query',
          required: false,
          schema: { type: 'string' },
          description: 'Only this job’s events.',
        },
        {
          name: 'node',
          in: 'query',
          required: false,
          schema: { type: 'string' },
          description: 'Only this node’s events.',
        },
      ],
      responses: {
        200: { description: 'The stream.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        503: {
          description: 'Too many streams are open (`urn:dpu:problem:overloaded`)',
          content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  },
};
