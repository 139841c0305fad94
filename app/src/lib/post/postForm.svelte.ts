/* eslint-disable svelte/prefer-svelte-reactivity -- maps here are replaced, never changed */
import type { Deployment } from '@dpu/sdk/deployment';
import type { Template } from '@dpu/sdk/templates/types';
import type { Address } from 'viem';
import { z } from 'zod';

import { LOCAL_CHAIN } from '../chain/networks.ts';
import { currencyOf, dpuOf } from '../currency.ts';
import { parseAmount } from '../format.ts';
import { say } from '../i18n/say.ts';
import { ASSURANCE_LEVELS, DEFAULT_LEVEL, type AssuranceLevel } from './assurance.ts';
import type { DraftTerms } from './draft.ts';
import { optionFields, optionValues, type OptionField } from './fields.ts';

/** What stands in the form of a new job, and what it means. */
export class PostForm {
  #deployment: Deployment;
  #template = $state.raw<Template>();
  #files = $state.raw<ReadonlyMap<string, Uint8Array>>(new Map());

  options = $state<Record<string, string | boolean>>({});
  currency = $state<Address>('0x');
  minPrice = $state('0.5');
  maxPrice = $state('2');
  bond = $state('');
  /** Index of `ASSURANCE_LEVELS`. */
  level = $state(DEFAULT_LEVEL);
  ramp = $state('60');
  exec = $state('900');
  window = $state('1800');
  openFor = $state('86400');
  readers = $state<'everyone' | 'chosen'>('everyone');
  /** Ids of the nodes that may read a private job. */
  chosen = $state<readonly number[]>([]);

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
    this.currency = deployment.currencies[0]?.address ?? deployment.token;
    // Nobody waits half an hour for a challenge on a network of one person.
    if (deployment.chainId === LOCAL_CHAIN) this.window = '15';
  }

  get template(): Template | undefined {
    return this.#template;
  }

  /** Takes up a template with its default options. */
  choose(template: Template): void {
    if (this.#template?.id === template.id) return;
    this.#template = template;
    this.#files = new Map();
    this.options = Object.fromEntries(
      fieldsOf(template).map(({ name, kind, initial }) => [
        name,
        kind === 'boolean' ? initial === true : String(initial),
      ]),
    );
  }

  /** How sure the requester wants to be. */
  get policy(): AssuranceLevel {
    const policy = ASSURANCE_LEVELS[this.level] ?? ASSURANCE_LEVELS[DEFAULT_LEVEL];
    if (!policy) throw new RangeError('There is no assurance level.');
    return policy;
  }

  get fields(): OptionField[] {
    return this.#template ? fieldsOf(this.#template) : [];
  }

  /** The options as the template takes them. */
  get values(): Record<string, unknown> {
    return optionValues(this.fields, this.options);
  }

  get files(): ReadonlyMap<string, Uint8Array> {
    return this.#files;
  }

  addFile(name: string, bytes: Uint8Array): void {
    this.#files = new Map([...this.#files, [name, bytes]]);
  }

  removeFile(name: string): void {
    this.#files = new Map([...this.#files].filter(([key]) => key !== name));
  }

  /** The price is in DPU, so the protocol knows how large a bond must be. */
  get inDpu(): boolean {
    return this.currency.toLowerCase() === this.#deployment.token.toLowerCase();
  }

  /** What is wrong with the money, by field; a sentence each. */
  get problems(): Partial<Record<'minPrice' | 'maxPrice' | 'bond', string>> {
    const { decimals, symbol } = currencyOf(this.#deployment, this.currency);
    const min = parseAmount(this.minPrice, decimals);
    const max = parseAmount(this.maxPrice, decimals);
    const bond = parseAmount(this.bond, dpuOf(this.#deployment).decimals);
    const amount = say('An amount with at most {digits} digits after the point.', { digits: decimals });
    return {
      ...(min === undefined && { minPrice: amount }),
      ...(max === undefined
        ? { maxPrice: amount }
        : max === 0n
          ? { maxPrice: say('More than 0 {currency}, or no node will come.', { currency: symbol }) }
          : min !== undefined && max < min && { maxPrice: say('At least the starting price.') }),
      ...(this.bond.trim() === ''
        ? !this.inDpu && {
            bond: say('Say it in DPU: the protocol knows no rate for {currency}.', { currency: symbol }),
          }
        : bond === undefined && { bond: say('An amount of DPU.') }),
    };
  }

  /** Why the job cannot be posted as a private one; undefined when it can, or is none. */
  privacyProblem(hasKey: boolean): string | undefined {
    if (this.readers === 'everyone') return undefined;
    if (!hasKey) return say('Make your key first: without it nobody could read the result, not even you.');
    const { seats } = this.policy;
    const missing = seats - this.chosen.length;
    if (missing <= 0) return undefined;
    return seats === 1
      ? say('Choose at least one node that may read the job.')
      : say('Choose at least {count} nodes: each shard is computed by {count}, and all of them must read it.', {
          count: seats,
        });
  }

  /** Money and time as they would be posted; undefined while something is wrong. */
  get draft(): DraftTerms | undefined {
    if (Object.keys(this.problems).length) return undefined;
    const { decimals } = currencyOf(this.#deployment, this.currency);
    const { seats, direct, auditBps } = this.policy;
    return {
      currency: this.currency,
      minPrice: parseAmount(this.minPrice, decimals) ?? 0n,
      maxPrice: parseAmount(this.maxPrice, decimals) ?? 0n,
      bond: this.bond.trim() === '' ? undefined : parseAmount(this.bond, dpuOf(this.#deployment).decimals),
      seats,
      direct,
      auditBps,
      ramp: Number(this.ramp),
      exec: Number(this.exec),
      window: Number(this.window),
      openFor: Number(this.openFor),
    };
  }
}

function fieldsOf(template: Template): OptionField[] {
  return optionFields(z.toJSONSchema(template.options, { io: 'input', unrepresentable: 'any' }));
}
