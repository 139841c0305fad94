import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig, loadEnv, type Connect, type Plugin } from 'vite';

/**
 * Serves the deployment as `/config.json` while developing. In production whoever serves the static files serves it, so that
 * one build works with every network.
 */
function deploymentFile(path: string): Plugin {
  const serve: Connect.NextHandleFunction = (request, response, next) => {
    if (request.url?.split('?')[0] !== '/config.json') return next();
    readFile(path).then(
      (body) => {
        response.setHeader('content-type', 'application/json');
        response.end(body);
      },
      () => {
        response.statusCode = 404;
        response.end();
      },
    );
  };
  return {
    name: 'dpu-deployment-file',
    configureServer: (server) => void server.middlewares.use(serve),
    configurePreviewServer: (server) => void server.middlewares.use(serve),
  };
}

export default defineConfig(({ mode }) => {
  const root = fileURLToPath(new URL('.', import.meta.url));
  const env = loadEnv(mode, root, 'APP_');
  return {
    plugins: [
      deploymentFile(fileURLToPath(new URL(env['APP_DEPLOYMENT'] ?? '../.dpu/deployment.json', import.meta.url))),
      tailwindcss(),
      sveltekit({
        compilerOptions: {
          runes: ({ filename }) => (filename.split(/[/\\]/).includes('node_modules') ? undefined : true),
        },
        adapter: adapter({ fallback: 'index.html' }),
        csp: {
          mode: 'hash',
          directives: {
            'default-src': ['self'],
            'script-src': ['self'],
            // Positioned menus and the mosaic set inline styles; text from the network never reaches a style.
            'style-src': ['self', 'unsafe-inline'],
            'img-src': ['self', 'data:', 'blob:'],
            'media-src': ['self', 'blob:'],
            'font-src': ['self'],
            // Chain, indexer and gateways are known at run time only, from /config.json and from the nodes' records.
            'connect-src': ['self', 'http:', 'https:', 'ws:', 'wss:'],
            'object-src': ['none'],
            'base-uri': ['self'],
            'form-action': ['self'],
          },
        },
      }),
    ],
    server: { host: '127.0.0.1' },
    build: { assetsInlineLimit: 0 },
  };
});
