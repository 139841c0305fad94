import { createApp } from '#lib/app.ts';
import type { LayoutLoad } from './$types';

export const ssr = false;

export const load: LayoutLoad = async ({ fetch }) => ({ app: await createApp(fetch) });
