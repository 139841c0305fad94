/**
 * `npm run build --workspace @dpu/worker`: the node as operators install it, in `worker/dist/` or the folder that is named. Plain JavaScript without what it does not use, which starts
 * faster than the sources and takes less memory, and a `package.json` of its own: `npm pack` makes something of it that `npm install --global` takes.
 */
import { chmod, copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

import { rolldown, type OutputChunk, type RolldownOutput, type RolldownPlugin } from 'rolldown';

import manifest from './package.json' with { type: 'json' };
import { programText } from './src/sandbox/stage.ts';

const here = import.meta.dirname;
const root = join(here, '..');
/** Beside the code: what it reads from files. */
const PARTS = 'parts';
/** They load native code or find files by their own place, so they are installed beside the node instead of taken into it. */
const INSTALLED = ['deno', 'dockerode', 'onnxruntime-node', 'pino', 'systeminformation'] as const;

/** Files that modules name by their own place, and where the built node has them. */
const MOVED: readonly { module: string; names: string; part: string }[] = [
  { module: 'worker/src/sandbox/detect.ts', names: './child/probe.ts', part: 'probe.mjs' },
  { module: 'worker/src/runtimes/wasm/wasmRuntime.ts', names: './child/main.ts', part: 'wasm.mjs' },
  { module: 'worker/src/runtimes/onnx/onnxRuntime.ts', names: './child/main.ts', part: 'onnx.mjs' },
  { module: 'worker/src/runtimes/wgsl/wgslRuntime.ts', names: './child/main.ts', part: 'wgsl.mjs' },
  { module: 'worker/src/runtimes/render/renderRuntime.ts', names: './child/render.py', part: 'render.py' },
  { module: 'sdk/src/templates/diskAssets.ts', names: '../../modules/build/', part: 'modules/' },
];

/** Sends each module of `MOVED` to the part; fails where one no longer names its file. */
const moved: RolldownPlugin = {
  name: 'dpu-parts',
  transform(code, id) {
    const move = MOVED.find(({ module }) => relative(root, id).replaceAll(sep, '/') === module);
    if (!move) return;
    const place = `new URL('${move.names}', import.meta.url)`;
    if (!code.includes(place))
      throw new Error(`${move.module} does not name ${move.names}, as worker/build.ts expects`);
    return code.replace(place, `new URL('./${PARTS}/${move.part}', import.meta.url)`);
  },
};

/** Builds the node into `folder`, which must not be one that a running node was started from. */
export async function buildNode(folder: string): Promise<void> {
  const bundle = await rolldown({
    input: { 'dpu-node': join(here, 'src/cli.ts') },
    platform: 'node',
    external: [/^node:/, ...INSTALLED],
    plugins: [moved],
  });
  let output: RolldownOutput;
  try {
    output = await bundle.write({
      dir: folder,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
      // Names stay, so that operators can send a stack that says something.
      minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    });
  } finally {
    await bundle.close();
  }
  await chmod(join(folder, 'dpu-node.js'), 0o755);
  await writeParts(join(folder, PARTS));
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(packageOf(), null, 2)}\n`);
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const chunks = output.output.filter((one): one is OutputChunk => one.type === 'chunk');
  await writeFile(
    join(folder, 'LICENSES-OF-OTHERS.txt'),
    await licencesOf(chunks.flatMap(({ moduleIds }) => moduleIds)),
  );
}

/** The programs of the sandbox as scripts, and the files that jobs and proofs of the node are made of. */
async function writeParts(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { module, names, part } of MOVED) {
    const from = join(root, module, '..', names);
    if (part.endsWith('/')) await cp(from, join(folder, part), { recursive: true });
    else if (part.endsWith('.mjs')) await writeFile(join(folder, part), await programText(from));
    else await copyFile(from, join(folder, part));
  }
}

function packageOf(): object {
  const { version, description, license, dependencies } = manifest;
  return {
    ...{ name: 'dpu-node', version, description, license, type: 'module' },
    bin: { 'dpu-node': './dpu-node.js' },
    engines: { node: '>=24' },
    dependencies: Object.fromEntries(INSTALLED.map((name) => [name, dependencies[name]])),
  };
}

/** The licences of everything that was taken in, as they ask for. */
async function licencesOf(modules: readonly string[]): Promise<string> {
  const packages = new Set(
    modules.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/u.exec(id.replaceAll(sep, '/'))?.[0] ?? []),
  );
  const texts = await Promise.all(
    [...packages].sort().map(async (folder) => {
      const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
        [field in 'name' | 'version' | 'license']: string;
      };
      const files = (await readdir(folder)).filter((file) => /^(?:licen[cs]e|copying)/iu.test(file)).sort();
      const said = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
      return `${name} ${version} (${license})\n\n${said.join('\n').trim() || 'No text of the licence comes with it.'}\n`;
    }),
  );
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = resolve(process.argv[2] ?? join(here, 'dist'));
  await buildNode(folder);
  console.log(
    `built into ${relative(process.cwd(), folder)}; npm pack ./${relative(process.cwd(), folder)} makes a package of it`,
  );
}
