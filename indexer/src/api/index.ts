import { db } from 'ponder:api';
import schema from 'ponder:schema';
import { Hono } from 'hono';
import { client, graphql } from 'ponder';
import { createApp } from './app.ts';

const app = new Hono();
app.use('/graphql', graphql({ db, schema }));
app.use('/sql/*', client({ db, schema }));
app.route('/', createApp(db));

export default app;
