import { existsSync, readFileSync } from 'node:fs';

import { DECLINE_CODES } from '@dpu/sdk/declines';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

import { sampleStatus } from '../testing/status.ts';
import { nodeMetrics } from './metrics.ts';

const read = (path: string): string => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');
const registry = nodeMetrics(() => sampleStatus());

/** Every name under which Prometheus sees a metric of the node, with its labels. */
async function served(): Promise<Map<string, Set<string>>> {
  const names = new Map<string, Set<string>>();
  for (const { name, values } of await registry.getMetricsAsJSON()) {
    for (const value of values as { metricName?: string; labels: object }[]) {
      const known = names.get(value.metricName ?? name) ?? new Set();
      for (const label of Object.keys(value.labels)) known.add(label);
      names.set(value.metricName ?? name, known);
    }
    if (!names.has(name)) names.set(name, new Set());
  }
  return names;
}

interface Dashboard {
  panels: { title: string; targets: { expr: string; legendFormat: string }[] }[];
  templating: { list: { query: string }[] };
}
interface Alerts {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string; action: string } }[] }[];
}

const dashboard = JSON.parse(read('grafana-dashboard.json')) as Dashboard;
const alerts = (parse(read('alerts.yaml')) as Alerts).groups.flatMap(({ rules }) => rules);
const queries = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ...dashboard.templating.list.flatMap(({ query }) => (query.includes('(') ? [['variables', query] as const] : [])),
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
];

test.each(queries)('%s asks for metrics that there are: %s', async (_title, expr) => {
  const names = await served();
  const asked = expr.match(/\b(dpu_node_\w+|up)\b/g) ?? [];
  expect(asked.length, 'it asks for something').toBeGreaterThan(0);
  expect(asked.filter((name) => name !== 'up' && !names.has(name))).toEqual([]);
  // Brackets and quotes pair up: half a query is none.
  for (const [open, close] of ['()', '{}', '[]']) expect(expr.split(open!).length).toBe(expr.split(close!).length);
});

test.each(dashboard.panels.flatMap(({ title, targets }) => targets.map((target) => [title, target] as const)))(
  '%s names only labels that its metrics have',
  async (_title, { expr, legendFormat }) => {
    const names = await served();
    const [metric = ''] = expr.match(/dpu_node_\w+/) ?? [];
    const labels = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    expect(labels.filter((label) => label !== 'instance' && !names.get(metric)?.has(label))).toEqual([]);
  },
);

test('every alert says what is wrong and what to do', () => {
  for (const { alert, annotations } of alerts) {
    expect(annotations.summary, alert).toMatch(/\.$/);
    expect(annotations.action, alert).toMatch(/^[A-Z].{20,}\.$/);
  }
});

test('every reason not to take a job is explained in the operators’ page', () => {
  const page = readFileSync(new URL('../../../docs/node.md', import.meta.url), 'utf8');
  expect(DECLINE_CODES.filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});

test('every metric of the node is explained in the operators’ page', async () => {
  const page = readFileSync(new URL('../../../docs/node.md', import.meta.url), 'utf8');
  const own = (await registry.getMetricsAsArray()).map(({ name }) => name);
  const ours = own.filter((name) => !/^dpu_node_(process|nodejs)_/.test(name));
  expect(ours.filter((name) => !page.includes(`\`${name.replace('dpu_node_', '')}\``))).toEqual([]);
});

test('the service keeps what the sandbox needs, and is shut off from the rest', () => {
  const unit = read('dpu-node.service');
  const settings = unit.split('\n').filter((line) => /^[A-Z]\w+=/.test(line));
  for (const line of [
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'CapabilityBoundingSet=',
    'StateDirectoryMode=0700',
  ])
    expect(settings).toContain(line);
  // With ProtectHostname bubblewrap cannot name its host: on systemd 252 both classes with namespaces were refused.
  for (const name of [
    'RestrictNamespaces',
    'ProtectHostname',
    'ProtectKernelTunables',
    'ProtectProc',
    'PrivateDevices',
  ])
    expect(settings.filter((line) => line.startsWith(`${name}=`))).toEqual([]);
  expect(settings).toContain('RestartPreventExitStatus=0 1');
});

test('the container copies what there is, and runs as nobody of importance', () => {
  const file = read('Containerfile');
  const copied = [...file.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
  for (const path of copied) expect(existsSync(new URL(`../../../${path}`, import.meta.url)), path).toBe(true);
  expect(file).toMatch(/^USER 10001:10001$/m);
  expect(file).not.toMatch(/KEY_PASSWORD/);
});
