import { db } from 'ponder:api';
import schema from 'ponder:schema';
import { Hono } from 'hono';
import { client, graphql } from 'ponder';
import { mountedLive } from '../live/mounted.ts';
import { createApp } from './app.ts';

const app = new Hono();
app.use('/graphql', graphql({ db, schema }));
app.use('/sql/*', client({ db, schema }));
const live = await mountedLive(process.env);
// First: what nodes say is under /v1 too, and the API answers 404 to everything that it does not know.
app.route('/', live.routes);
app.route('/', createApp(db));

export default app;
